// The Chinchilla explorer: how large a model, on how many tokens, for this compute?
//
// In order: the mathematics (twins of minilm/scaling.py; a test compares them), how the three sliders hold together, the words, the picture, the
// controls, and `render`, which anywidget calls in a notebook and minilm.explorer's page calls by itself. One file, no library, nothing fetched.
//
// N, D and C are parameters, tokens and operations of training; `served` is the tokens that the trained model will read and write.

// The mathematics

const TRAINING = 6, SERVING = 2;  // operations for each parameter and token

export function loss(law, n, d) {
  return law.E + law.A / n ** law.alpha + law.B / d ** law.beta;
}

/** The parameters and tokens with the least loss among those that cost 6 N D = flops. */
export function optimum(law, flops) {
  const { A, B, alpha, beta } = law;
  const n = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (flops / TRAINING) ** (beta / (alpha + beta));
  return [n, flops / TRAINING / n];
}

/** Tokens after which a model of that size reaches a loss; infinite where it never does. */
export function tokensFor(law, level, n) {
  const left = level - law.E - law.A / n ** law.alpha;
  return left > 0 ? (law.B / left) ** (1 / law.beta) : Infinity;
}

/** The point of the line of optima at which a loss is reached. */
export function optimumOfLoss(law, level) {
  const share = (level - law.E) / (law.alpha + law.beta);
  return [(law.A / (share * law.beta)) ** (1 / law.alpha), (law.B / (share * law.alpha)) ** (1 / law.beta)];
}

/** The cheapest model of a loss that will also read and write `served` tokens: least 6 N D + 2 N served. */
export function inferenceOptimum(law, level, served) {
  if (!(level > law.E)) throw new RangeError(`a loss of ${level} cannot be reached: the law ends at E = ${law.E}`);
  if (!(served >= 0)) throw new RangeError(`${served} tokens served; the number must not be negative`);
  // With nothing served it lies on the line of optima; serving only makes it smaller, down to the size that needs endless text. Between the two
  // the slope of the cost over log N changes its sign once, so halving the range finds it.
  let low = Math.log((law.A / (level - law.E)) ** (1 / law.alpha)), high = Math.log(optimumOfLoss(law, level)[0]);
  const slope = logN => {
    const lack = law.A / Math.exp(logN) ** law.alpha, left = level - law.E - lack;
    return left > 0 ? TRAINING * (law.B / left) ** (1 / law.beta) * (1 - law.alpha * lack / (law.beta * left)) + SERVING * served : -Infinity;
  };
  for (let i = 0; i < 100 && served > 0; i++) {
    const middle = (low + high) / 2;
    if (slope(middle) < 0) low = middle; else high = middle;
  }
  const n = Math.exp(high), d = tokensFor(law, level, n);
  return { n_params: n, n_tokens: d, flops: totalFlops(n, d, served) };
}

export function totalFlops(n, d, served) {
  return n * (TRAINING * d + SERVING * served);
}

/** What so many operations take on one accelerator: hours, kilowatt-hours, money. */
export function cost(hardware, flops) {
  const hours = flops / (hardware.peak_flops * hardware.utilisation) / 3600;
  return { hours, kwh: hours * hardware.watts * hardware.overhead / 1000, money: hours * hardware.price_per_hour };
}

// How compute, size and tokens hold together: each slider keeps one thing, and stops at the edge of the plane

const between = (value, low, high) => Math.min(Math.max(value, low), high);
const within = (value, [low, high]) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);  // an edge that was reached by multiplying is still inside
const inside = ({ ranges }, n, d) => within(n, ranges.n_params) && within(d, ranges.n_tokens);

export function move({ n_params: n, n_tokens: d }, ranges, what, value) {
  const [smallest, largest] = ranges.n_params, [fewest, most] = ranges.n_tokens;
  if (what === "compute") {  // keeps tokens per parameter
    const factor = between(Math.sqrt(value / (TRAINING * n * d)), Math.max(smallest / n, fewest / d), Math.min(largest / n, most / d));
    return { n_params: n * factor, n_tokens: d * factor };
  }
  if (what === "size") {  // keeps compute
    const product = n * d, moved = between(value, Math.max(smallest, product / most), Math.min(largest, product / fewest));
    return { n_params: moved, n_tokens: product / moved };
  }
  return { n_params: n, n_tokens: between(value, fewest, most) };  // keeps size
}

// The words

/** A large number as people say it, in three digits at most, as minilm.plots.short does. */
export function short(number) {
  for (const [size, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]]) {
    if (number >= 0.9995 * size) return digits(number / size) + letter;
  }
  return digits(number);
}

function digits(number) {
  if (number >= 999.5 && number < 1e6) return Math.round(number).toLocaleString("en");
  return number >= 1e-3 && number < 1e6 || number === 0 ? String(Number(number.toPrecision(3))) : power(number);
}

/** 3.15e23 as 3.15 × 10²³, which no line breaks; a power of ten alone where that is all. */
function power(number) {
  const [front, exponent] = number.toExponential(2).split("e"), raised = exponent.replace("+", "").replace(/./g, sign => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻");
  return front === "1.00" ? `10${raised}` : `${Number(front)}\u00a0×\u00a010${raised}`;
}

function duration(hours) {
  if (hours < 1 / 60) return `${short(hours * 3600)} seconds`;
  if (hours < 1) return `${short(hours * 60)} minutes`;
  return `${short(hours)} hours` + (hours >= 8766 ? ` (${short(hours / 8766)} years)` : "");
}

const energy = kwh => kwh >= 1e6 ? `${short(kwh / 1e6)} GWh` : kwh >= 1e3 ? `${short(kwh / 1e3)} MWh` : kwh >= 1 ? `${short(kwh)} kWh` : `${short(kwh * 1e3)} Wh`;
const money = amount => amount > 0 && amount < 0.01 ? "less than a cent" : `$${amount < 100 ? amount.toFixed(2) : short(amount)}`;
const rounded = value => Number(value.toFixed(3));  // differences are taken of what is shown, or they would seem wrong
const sized = (n, d) => `${short(n)} parameters on ${short(d)} tokens`;

/** What a real model could have been. */
export function whatIf(name, { n_params: n, n_tokens: d }, law) {
  const [best, text] = optimum(law, TRAINING * n * d), reached = loss(law, n, d), possible = loss(law, best, text);
  const about = `${name}: ${sized(n, d)}. `;
  if (reached - possible < 0.0005) return `${about}By this law that is as good as its compute allows: a loss of ${reached.toFixed(3)}.`;
  const cheaper = n < best ? ` Being smaller, it is cheaper to use: ${short(SERVING * n)} operations a token, not ${short(SERVING * best)}.` : "";
  return `${about}By this law the same compute would have trained ${short(best)} on ${short(text)}, to a loss of ${possible.toFixed(3)} instead of ${reached.toFixed(3)}.${cheaper}`;
}

/** The four cards below the picture: for each a mark, a heading, the thing itself, and what to know about it. */
export function words(law, state) {
  const { n_params: n, n_tokens: d, inference_tokens: served } = state, flops = TRAINING * n * d, reached = loss(law, n, d);
  const [best, text] = optimum(law, flops), possible = loss(law, best, text), lost = rounded(reached) - rounded(possible);
  const plan = inferenceOptimum(law, reached, served), total = totalFlops(n, d, served), saved = 1 - plan.flops / total;
  const training = cost(state, flops), both = cost(state, total), beyond = (...place) => inside(law, ...place) ? "" : " It lies beyond the edge of the picture.";
  return [
    ["ring", "Your model", sized(n, d),
      `Loss ${reached.toFixed(3)} nats per token. ${short(d / n)} tokens per parameter; ${power(flops)} operations to train.`],
    ["diamond", "Best for this compute", sized(best, text),
      `Loss ${possible.toFixed(3)}: ${lost < 0.0005 ? "yours is as good" : `yours gives away ${lost.toFixed(3)}`}. ${short(text / best)} tokens per parameter.${beyond(best, text)}`],
    ["star", `Cheapest, serving ${served ? `${short(served)} tokens` : "nothing"}`, sized(plan.n_params, plan.n_tokens),
      `The same loss as yours. To train${served ? " and serve" : ""}: ${power(plan.flops)} operations; yours: ${power(total)}, ` +
      (saved < 0.0005 ? "the same." : `so ${(100 * saved).toFixed(1)}\u00a0% could be saved.`) + beyond(plan.n_params, plan.n_tokens)],
    ["", `Your bill, on one ${state.hardware}`, duration(training.hours),
      `To train: ${energy(training.kwh)} and ${money(training.money)}.` +
      (served ? ` With serving: ${duration(both.hours)}, ${energy(both.kwh)} and ${money(both.money)}, if serving uses the machine as well as training does.` : "")],
  ];
}

// The picture

const MARGIN = { left: 46, right: 42, top: 26, bottom: 44 };
const STEPS = [1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01];  // between the levels of loss that get a line

function element(namespace, tag, attributes, children) {
  const made = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
const html = (tag, attributes = {}, ...children) => element("http://www.w3.org/1999/xhtml", tag, attributes, children);
const svg = (tag, attributes = {}, ...children) => element("http://www.w3.org/2000/svg", tag, attributes, children);
const label = (x, y, text, attributes = {}) => svg("text", { x, y, ...attributes }, text);
const path = points => "M" + points.map(point => point.map(value => value.toFixed(1)).join(",")).join("L");

/** From parameters and tokens to pixels and back, both axes logarithmic. */
function scales(ranges, width, height) {
  const axis = ([low, high], from, to) => {
    const start = Math.log10(low), stretch = (to - from) / (Math.log10(high) - start);
    return { at: value => from + (Math.log10(value) - start) * stretch, value: pixel => 10 ** (start + (pixel - from) / stretch), decade: Math.abs(stretch) };
  };
  const right = width - MARGIN.right, bottom = height - MARGIN.bottom;
  const x = axis(ranges.n_params, MARGIN.left, right), y = axis(ranges.n_tokens, bottom, MARGIN.top);
  return { x, y, width, height, right, bottom, ranges, at: (n, d) => [x.at(n), y.at(d)] };
}


/** Losses, round ones first, whose lines keep a distance where they cross the line of optima. */
function levels(law, plane) {
  const [[smallest, largest], [fewest, most]] = [plane.ranges.n_params, plane.ranges.n_tokens];
  const lowest = loss(law, largest, most), highest = loss(law, largest, fewest), kept = [];
  for (const step of STEPS) {
    for (let i = Math.ceil(lowest / step); i * step < Math.min(highest, lowest + 7 * step); i++) {  // far from the lowest, small steps are not round
      const [x, y] = plane.at(...optimumOfLoss(law, i * step));
      if (kept.every(other => Math.hypot(x - other.x, y - other.y) > 40)) kept.push({ level: Number((i * step).toFixed(3)), x, y });
    }
  }
  return kept.map(one => one.level);
}

/** The line of a loss, from where it enters the plane at the top or the left to where it leaves. */
function contour(law, plane, level) {
  const [low, high] = plane.ranges.n_params.map(Math.log10), [fewest, most] = plane.ranges.n_tokens, points = [];
  const topmost = (law.A / (level - law.E - law.B / most ** law.beta)) ** (1 / law.alpha);  // the size that needs the most tokens of the plane
  for (let i = 0; i <= 120; i++) {
    const n = 10 ** (Math.max(low, Math.log10(topmost)) + (high - Math.max(low, Math.log10(topmost))) * (i / 120) ** 2);  // dense where it is steep
    const d = Math.min(tokensFor(law, level, n), most * (1 + 1e-9));
    points.push(plane.at(n, Math.max(d, fewest)));
    if (d < fewest) break;
  }
  return points;
}

/** All that stays while the point moves: the landscape of losses, axes, the line of optima, lines of equal compute. */
function landscape(law, plane, clip) {
  const group = svg("g"), inner = svg("g", { "clip-path": `url(#${clip})` }), names = svg("g");
  for (const level of levels(law, plane)) {
    const points = contour(law, plane, level), [x, y] = points.at(-1);
    inner.append(svg("path", { class: "lower", d: `${path(points)}L${plane.right},${y}V${MARGIN.top}H${points[0][0]}Z` }));
    inner.append(svg("path", { class: "contour", d: path(points) }));
    if (y < plane.bottom - 6) names.append(label(plane.right + 6, y + 4, String(level), { class: "level" }));
  }
  const [low, high] = plane.ranges.n_params.map((n, i) => TRAINING * n * plane.ranges.n_tokens[i]).map(Math.log10), step = Math.ceil((high - low) / 6);
  for (let exponent = step * Math.ceil(low / step); exponent < high; exponent += step) inner.append(...equalCompute(plane, 10 ** exponent, "compute"));
  inner.append(svg("path", { class: "optima", d: path([low - 4, high + 4].map(exponent => plane.at(...optimum(law, 10 ** exponent)))) }));
  group.append(inner, axes(plane), names);
  return group;
}

function axes(plane) {
  const group = svg("g", { class: "axes" }, svg("rect", { x: MARGIN.left, y: MARGIN.top, width: plane.right - MARGIN.left, height: plane.bottom - MARGIN.top }));
  const ticks = ({ decade }, [low, high]) => {
    const every = decade < 44 ? 2 : 1, first = every * Math.ceil(Math.log10(low) / every - 1e-9), last = Math.log10(high) + 1e-9, found = [];
    for (let exponent = first; exponent <= last; exponent += every) found.push(10 ** exponent);
    return found;
  };
  for (const n of ticks(plane.x, plane.ranges.n_params)) {
    group.append(svg("path", { d: `M${plane.x.at(n)},${plane.bottom}v5` }), label(plane.x.at(n), plane.bottom + 18, short(n), { "text-anchor": "middle" }));
  }
  for (const d of ticks(plane.y, plane.ranges.n_tokens)) {
    group.append(svg("path", { d: `M${MARGIN.left},${plane.y.at(d)}h-5` }), label(MARGIN.left - 8, plane.y.at(d) + 4, short(d), { "text-anchor": "end" }));
  }
  group.append(label((MARGIN.left + plane.right) / 2, plane.height - 6, "parameters", { class: "title", "text-anchor": "middle" }),
    label(0, 14, "training tokens", { class: "title" }), label(plane.width, 14, "loss", { class: "title level", "text-anchor": "end" }));
  return group;
}

/** A line on which training takes so many operations, with their number along it: at its lower end or, where the line is the chosen one, at its upper. */
function equalCompute(plane, flops, kind, text = power(flops)) {
  const tokens = n => flops / TRAINING / n, [smallest, largest] = plane.ranges.n_params, [fewest, most] = plane.ranges.n_tokens;
  const [start, end] = [Math.max(smallest, tokens(most)), Math.min(largest, tokens(fewest))].map(n => plane.at(n, tokens(n)));
  const line = svg("path", { class: kind, d: path([start, end]) }), upper = kind === "yours", [x, y] = upper ? start : end;
  if (!text || Math.hypot(end[0] - start[0], end[1] - start[1]) < 7 * text.length + 50) return [line];
  const slant = Math.atan2(plane.y.decade, plane.x.decade) * 180 / Math.PI;
  return [line, label(upper ? 16 : -22, -5, text, { class: kind, "text-anchor": upper ? "start" : "end", transform: `translate(${x},${y}) rotate(${slant})` })];
}

/** Places for a name beside a mark: near ones first, then farther ones, which get a thread to their mark. */
const PLACES = [[12, 4, "start"], [-12, 4, "end"], [0, -12, "middle"], [0, 21, "middle"],
  ...[24, 38, 52].flatMap(far => [[10, -far, "start"], [-10, -far, "end"], [10, far + 8, "start"], [-10, far + 8, "end"]])];

/** Write the names of the models, the first ones first, where they meet neither each other nor a mark; a name without room is left to hovering. */
function names(group, models, plane) {
  const taken = models.map(({ x, y }) => ({ left: x - 6, right: x + 6, top: y - 6, bottom: y + 6 })), places = PLACES.slice(0, plane.width > 480 ? Infinity : 4);
  for (const [i, { name, x, y }] of models.entries()) {
    const text = label(0, 0, name, { class: "model" });
    group.append(text);
    const length = text.getComputedTextLength();
    const place = places.find(([dx, dy, anchor]) => {
      const left = x + dx - (anchor === "end" ? length : anchor === "middle" ? length / 2 : 0), box = { left: left - 2, right: left + length + 2, top: y + dy - 12, bottom: y + dy + 3 };
      const free = box.left > MARGIN.left + 2 && box.right < plane.right - 2 && box.top > MARGIN.top + 2 && box.bottom < plane.bottom - 2
        && taken.every((other, j) => j === i || box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom);
      if (free) taken.push(box);
      return free;
    });
    if (!place) { text.remove(); continue; }
    const [dx, dy, anchor] = place;
    for (const [attribute, value] of Object.entries({ x: x + dx, y: y + dy, "text-anchor": anchor })) text.setAttribute(attribute, value);
    if (Math.abs(dy) > 21) group.prepend(svg("path", { class: "thread", d: path([[x, y], [x + dx / 2, y + dy + (dy < 0 ? 3 : -10)]]) }));
  }
}

const STAR = Array.from({ length: 10 }, (_, i) => [Math.sin(i * Math.PI / 5), -Math.cos(i * Math.PI / 5)].map(value => value * (i % 2 ? 4.5 : 10)));
const MARKS = {
  ring: () => svg("g", { class: "ring" }, svg("circle", { r: 9 }), svg("circle", { class: "dot", r: 2.5 })),
  diamond: () => svg("path", { class: "diamond", d: "M0,-7.5L7.5,0L0,7.5L-7.5,0Z" }),
  star: () => svg("path", { class: "star", d: `${path(STAR)}Z` }),
};

function mark(kind, x, y) {
  const made = MARKS[kind]();
  made.setAttribute("transform", `translate(${x},${y})`);
  return made;
}

/** What moves: the lines of the chosen compute and of the chosen loss, which names may cover, and the three marks, which nothing covers. */
function marks(law, plane, state, clip) {
  const { n_params: n, n_tokens: d } = state, flops = TRAINING * n * d, reached = loss(law, n, d);
  const plan = inferenceOptimum(law, reached, state.inference_tokens), best = optimum(law, flops);
  const lines = svg("g", { "clip-path": `url(#${clip})` }, svg("path", { class: "same", d: path(contour(law, plane, reached)) }),
    ...equalCompute(plane, flops, "yours", plane.width > 480 ? `${power(flops)} operations` : "")), drawn = [];
  for (const [kind, place] of [["star", [plan.n_params, plan.n_tokens]], ["diamond", best], ["ring", [n, d]]]) {
    if (inside(plane, ...place)) drawn.push(mark(kind, ...plane.at(...place)));
  }
  return [lines, drawn];
}

// The controls

/** A slider over powers of ten; with `zero` its left end means none at all. */
function slider(name, keeps, unit, changed, zero = false) {
  const shown = html("output"), input = html("input", { type: "range", step: 0.01, "aria-label": keeps ? `${name}; ${keeps}` : name });
  const made = html("label", { class: "slider" }, html("span", { class: "name" }, name), shown, input, html("small", {}, keeps));
  input.addEventListener("input", () => changed(zero && input.valueAsNumber <= Number(input.min) ? 0 : 10 ** input.valueAsNumber));
  made.show = (value, [low, high]) => {
    Object.assign(input, { min: Math.log10(low), max: Math.log10(high) });
    input.value = value > 0 ? Math.log10(value) : input.min;
    shown.value = unit === "operations" ? power(value) : value > 0 ? short(value) : "none";
    input.setAttribute("aria-valuetext", `${shown.value} ${unit}`);
  };
  return made;
}

function choice(name, options, changed) {
  const select = html("select", { "aria-label": name }, ...options.map(([value, text]) => html("option", { value }, text)));
  const made = html("label", { class: "choice" }, html("span", { class: "name" }, name), select);
  select.addEventListener("change", () => changed(select.value));
  made.show = value => { select.value = value; };
  return made;
}

/** A small number; one that cannot be is marked, and the last good one goes on counting. */
function number(name, unit, scale, [low, high], changed) {
  const input = html("input", { type: "number", step: "any", min: low, max: high, "aria-label": `${name}, ${unit}` });
  const made = html("label", { class: "number" }, html("span", {}, name), input, html("small", {}, unit));
  input.addEventListener("input", () => {
    const value = input.valueAsNumber, good = value >= low && value <= high;
    input.setAttribute("aria-invalid", !good);
    input.title = good ? "" : `a number from ${low} to ${high}; until then the last good one counts`;
    if (good) changed(value * scale);
  });
  made.show = value => {
    if (document.activeElement === input) return;  // never write over what is being typed
    input.value = Number((value / scale).toPrecision(6));
    input.setAttribute("aria-invalid", false);
  };
  return made;
}

/** The whole panel; `show(state, law)` brings every control in step. */
function controls(laws, hardware, change) {
  const set = {
    compute: slider("Compute", "keeps tokens per parameter", "operations", value => change.move("compute", value)),
    size: slider("Size", "keeps compute: fewer tokens for a larger model", "parameters", value => change.move("size", value)),
    tokens: slider("Tokens", "keeps size: more tokens, more compute", "tokens", value => change.move("tokens", value)),
    served: slider("Tokens served", "read and written by the finished model", "tokens", value => change.set({ inference_tokens: value }), true),
    law: choice("Law", Object.entries(laws).map(([name, law]) => [name, law.label]), change.law),
    hardware: choice("Machine", Object.keys(hardware).map(name => [name, name]), name => change.set({ hardware: name, ...hardware[name] })),
    peak_flops: number("Peak", "TFLOP/s", 1e12, [1e-3, 1e6], value => change.set({ peak_flops: value })),
    utilisation: number("Utilisation", "%", 0.01, [0.01, 100], value => change.set({ utilisation: value })),
    watts: number("Power at most", "watts", 1, [0.1, 1e5], value => change.set({ watts: value })),
    overhead: number("Building and cooling", "times", 1, [1, 10], value => change.set({ overhead: value })),
    price_per_hour: number("Price", "$ an hour", 1, [0, 1e4], value => change.set({ price_per_hour: value })),
  };
  const button = html("button", { type: "button" }, "Go to the optimum"), formula = html("p", { class: "formula" });
  button.addEventListener("click", change.optimum);
  const panel = html("div", { class: "controls" },
    html("p", { class: "help" }, "Size trades against tokens at the same compute; Tokens alone changes the compute; Compute moves both. Or drag the ring."),
    html("div", { class: "group" }, set.compute, set.size, set.tokens, button, set.served), html("div", { class: "group" }, set.law, formula),
    html("div", { class: "group" }, set.hardware, html("div", {}, set.peak_flops, set.utilisation, set.watts, set.overhead, set.price_per_hour)));
  panel.show = (state, law) => {
    const { n_params, n_tokens, inference_tokens } = law.ranges;
    set.compute.show(TRAINING * state.n_params * state.n_tokens, [0, 1].map(i => TRAINING * n_params[i] * n_tokens[i]));
    set.size.show(state.n_params, n_params);
    set.tokens.show(state.n_tokens, n_tokens);
    set.served.show(state.inference_tokens, inference_tokens);
    for (const name of ["law", "hardware", "peak_flops", "utilisation", "watts", "overhead", "price_per_hour"]) set[name].show(state[name]);
    formula.replaceChildren("L = ", Number(law.E.toFixed(4)), " + ", Number(law.A.toPrecision(4)), " / N", html("sup", {}, Number(law.alpha.toFixed(3))),
      " + ", Number(law.B.toPrecision(4)), " / D", html("sup", {}, Number(law.beta.toFixed(3))));
  };
  return panel;
}

/** The cards below the picture; they say in words all that it shows. */
function cards() {
  const parts = ["ring", "diamond", "star", ""].map(kind => ({ kind, heading: html("span"), thing: html("strong"), rest: html("p") }));
  const made = html("div", { class: "cards", role: "status", "aria-live": "polite" }, ...parts.map(({ kind, heading, thing, rest }) => {
    const swatch = kind ? [svg("svg", { width: 24, height: 24, viewBox: "-12 -12 24 24", "aria-hidden": true }, MARKS[kind]())] : [];
    return html("section", {}, html("h4", {}, ...swatch, heading), thing, rest);
  }));
  made.show = (law, state) => words(law, state).forEach(([, heading, thing, rest], i) => {
    parts[i].heading.textContent = heading;
    parts[i].thing.textContent = thing;
    parts[i].rest.textContent = rest;
  });
  return made;
}

/** The real models: buttons over their dots, one stop of the Tab key for all, arrows between them; where dots meet, the first of the list lies above. A look tells the what-if, a press goes there. */
function dots(tip, go) {
  const bar = html("div", { role: "toolbar", "aria-label": "Real models; the arrow keys go from one to the next" });
  const tell = ({ target }) => {
    tip.textContent = target.getAttribute("aria-label");
    tip.hidden = false;
    const x = parseFloat(target.style.left), y = parseFloat(target.style.top), width = tip.offsetWidth, room = bar.parentElement.clientWidth;
    tip.style.left = `${between(x - width / 2, 4, Math.max(4, room - width - 4))}px`;
    tip.style.top = `${y > tip.offsetHeight + 20 ? y - tip.offsetHeight - 14 : y + 14}px`;
  };
  bar.addEventListener("keydown", event => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key], all = [...bar.children];
    if (event.key === "Escape") tip.hidden = true;
    if (!step) return;
    event.preventDefault();
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    all.forEach(dot => { dot.tabIndex = dot === next ? 0 : -1; });
    next.focus();
  });
  bar.show = (models, law) => bar.replaceChildren(...models.map((model, i) => {
    const dot = html("button", { type: "button", tabindex: i ? -1 : 0, "aria-label": whatIf(model.name, model, law), style: `left: ${model.x}px; top: ${model.y}px; z-index: ${model.above}` });
    for (const event of ["pointerenter", "focus"]) dot.addEventListener(event, tell);
    for (const event of ["pointerleave", "blur"]) dot.addEventListener(event, () => { tip.hidden = true; });
    dot.addEventListener("click", () => go(model));
    return dot;
  }));
  return bar;
}

// The look: JupyterLab says on <body> whether its theme is light; elsewhere the reader's system does

const DARK = `--ink: #e8eaed; --soft: #b4bac2; --line: #4a4f57; --ground: #1b1d21; --plane: #202329; --yours: #ff9a52; --best: #35c79a; --served: #e08fc0;
  --level: #79bdf0; --lower: #3d8fd1;`;
const LOOK = `
.minilm-explorer { --ink: #202124; --soft: #5f6368; --line: #c9cdd2; --ground: #ffffff; --plane: #fbfcfd; --yours: #d55e00; --best: #00805c; --served: #a8457c;
  --level: #005f96; --lower: #0072b2; container-type: inline-size; color: var(--ink); background: var(--ground); color-scheme: light;
  font: 14px/1.45 var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif); padding: 12px; box-sizing: border-box; }
@media (prefers-color-scheme: dark) { body:not([data-jp-theme-light]) .minilm-explorer { ${DARK} color-scheme: dark; } }
body[data-jp-theme-light="false"] .minilm-explorer { ${DARK} color-scheme: dark; }
.minilm-explorer * { box-sizing: border-box; }
.minilm-explorer .frame { display: grid; gap: 16px 24px; grid-template-columns: minmax(0, 1fr) 300px; align-items: start; }
.minilm-explorer .cards { grid-column: 1 / -1; display: grid; gap: 12px; grid-template-columns: repeat(4, minmax(0, 1fr)); }
.minilm-explorer .stage { position: relative; touch-action: pan-y; cursor: crosshair; user-select: none; -webkit-user-select: none; }
.minilm-explorer .stage svg { display: block; width: 100%; overflow: visible; }
.minilm-explorer text { font-size: 12px; fill: var(--ink); paint-order: stroke; stroke: var(--plane); stroke-width: 3px; stroke-linejoin: round; }
.minilm-explorer .axes text { fill: var(--soft); stroke: none; }
.minilm-explorer .axes text.title { fill: var(--ink); font-size: 13px; }
.minilm-explorer .axes path, .minilm-explorer .axes rect { fill: none; stroke: var(--line); }
.minilm-explorer text.level, .minilm-explorer .axes text.level { fill: var(--level); stroke: none; }
.minilm-explorer .plane { fill: var(--plane); }
.minilm-explorer .lower { fill: var(--lower); opacity: 0.045; }
.minilm-explorer .contour { fill: none; stroke: var(--level); stroke-width: 1; opacity: 0.55; }
.minilm-explorer path.compute { stroke: var(--soft); stroke-dasharray: 2 4; opacity: 0.8; }
.minilm-explorer text.compute { fill: var(--soft); }
.minilm-explorer .optima { fill: none; stroke: var(--best); stroke-width: 2.5; }
.minilm-explorer path.yours { fill: none; stroke: var(--yours); stroke-width: 2; }
.minilm-explorer text.yours { fill: var(--yours); font-weight: 600; }
.minilm-explorer .same { fill: none; stroke: var(--served); stroke-width: 1.5; stroke-dasharray: 6 4; }
.minilm-explorer .thread { stroke: var(--soft); stroke-width: 0.75; }
.minilm-explorer .real { fill: var(--ink); stroke: var(--plane); stroke-width: 1.5; }
.minilm-explorer .ring circle { fill: none; stroke: var(--yours); stroke-width: 3; }
.minilm-explorer .ring .dot { fill: var(--yours); stroke: none; }
.minilm-explorer .diamond { fill: var(--best); stroke: var(--plane); stroke-width: 1.5; }
.minilm-explorer .star { fill: var(--served); stroke: var(--plane); stroke-width: 1.5; }
.minilm-explorer [role="toolbar"] button { position: absolute; width: 18px; height: 18px; margin: -9px; padding: 0; border: 0; border-radius: 50%; background: none; cursor: pointer; }
.minilm-explorer .tip { position: absolute; z-index: 99; width: 270px; padding: 8px 10px; border: 1px solid var(--line); border-radius: 6px; background: var(--ground); font-size: 13px;
  box-shadow: 0 2px 10px rgb(0 0 0 / 0.2); pointer-events: none; }
.minilm-explorer .tip[hidden] { display: none; }
.minilm-explorer .legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 4px 0 0; padding: 0; list-style: none; font-size: 12px; color: var(--soft); }
.minilm-explorer .legend li { display: flex; align-items: center; gap: 6px; margin: 0; }
.minilm-explorer .controls, .minilm-explorer .group { display: grid; gap: 8px; align-content: start; }
.minilm-explorer .group { padding-top: 10px; border-top: 1px solid var(--line); }
.minilm-explorer p { margin: 0; }
.minilm-explorer small, .minilm-explorer .help { font-size: 12px; color: var(--soft); }
.minilm-explorer .slider { display: grid; grid-template-columns: 1fr auto; }
.minilm-explorer .slider output { font-weight: 600; font-variant-numeric: tabular-nums; }
.minilm-explorer .slider input, .minilm-explorer .slider small { grid-column: 1 / -1; }
.minilm-explorer input[type="range"] { width: 100%; height: 22px; margin: 0; accent-color: var(--yours); }
.minilm-explorer .choice { display: grid; grid-template-columns: 68px minmax(0, 1fr); align-items: center; }
.minilm-explorer .number { display: grid; grid-template-columns: 1fr 68px 56px; gap: 0 8px; align-items: center; margin-bottom: 4px; font-size: 13px; }
.minilm-explorer input[type="number"], .minilm-explorer select, .minilm-explorer .controls button { font: inherit; color: var(--ink); background: var(--plane); border: 1px solid var(--line);
  border-radius: 4px; padding: 3px 6px; width: 100%; min-width: 0; height: auto; }
.minilm-explorer input[type="number"] { padding: 2px 4px; appearance: textfield; -moz-appearance: textfield; text-align: right; }
.minilm-explorer input[type="number"]::-webkit-inner-spin-button { display: none; }
.minilm-explorer input[aria-invalid="true"] { border: 2px solid var(--yours); }
.minilm-explorer .controls button { padding: 6px; font-weight: 600; color: var(--best); border-color: var(--best); cursor: pointer; }
.minilm-explorer .formula { font-size: 13px; font-style: italic; }
.minilm-explorer sup { font-size: 12px; line-height: 0; margin-left: 1px; }
.minilm-explorer :is(button, input, select):focus-visible { outline: 3px solid var(--level); outline-offset: 2px; }
.minilm-explorer input[type="range"]:focus-visible { outline-width: 2px; outline-offset: -1px; border-radius: 6px; }
.minilm-explorer section { padding: 10px 12px; border: 1px solid var(--line); border-radius: 8px; background: var(--plane); }
.minilm-explorer h4 { display: flex; align-items: center; gap: 6px; min-height: 24px; margin: 0 0 4px; font-size: 13px; font-weight: 400; line-height: 1.3; color: var(--soft); }
.minilm-explorer h4 svg { flex: none; margin-left: -4px; }
.minilm-explorer section p { margin-top: 4px; font-size: 13px; }
@container (max-width: 900px) { .minilm-explorer .cards { grid-template-columns: 1fr 1fr; } }
@container (max-width: 720px) { .minilm-explorer .frame { grid-template-columns: minmax(0, 1fr); } }
@container (min-width: 560px) and (max-width: 720px) { .minilm-explorer .controls { grid-template-columns: 1fr 1fr; gap: 8px 24px; grid-template-rows: auto auto 1fr; }
  .minilm-explorer .help { grid-column: 1 / -1; } .minilm-explorer .help + .group { grid-row: 2 / 4; } }
@container (max-width: 480px) { .minilm-explorer .cards { grid-template-columns: minmax(0, 1fr); } }
`;

function legend() {
  const line = kind => svg("svg", { width: 26, height: 10, "aria-hidden": true }, svg("path", { class: kind, d: "M0,5H26" }));
  const dot = svg("svg", { width: 10, height: 10, "aria-hidden": true }, svg("circle", { class: "real", cx: 5, cy: 5, r: 4 }));
  const lines = [["optima", "the best for each compute"], ["yours", "your compute"], ["same", "your loss"], ["contour", "other losses"], ["compute", "other compute"]];
  return html("ul", { class: "legend", "aria-hidden": true }, ...lines.map(([kind, text]) => html("li", {}, line(kind), text)), html("li", {}, dot, "real models"));
}

let instances = 0;

function render({ model, el }) {
  const laws = model.get("laws"), models = model.get("models"), hardware = model.get("hardware"), clip = `minilm-explorer-${instances++}`;
  let state = model.get("state"), plane = null;
  const law = () => laws[state.law];
  const fixed = svg("g"), moving = svg("g"), written = svg("g"), above = svg("g"), frame = svg("rect"), ground = svg("rect", { class: "plane" });
  const picture = svg("svg", { role: "img", "aria-label": "The plane of parameters and training tokens with its lines of equal loss. What it shows is said in words below." },
    svg("clipPath", { id: clip }, frame), ground, fixed, moving, written, above);
  const set = changes => {
    const before = state;
    state = { ...state, ...changes };
    model.set("state", state);
    model.save_changes();
    if (state.law === before.law) draw(); else drawPlane();
  };
  const optimal = () => set(move(state, law().ranges, "size", optimum(law(), TRAINING * state.n_params * state.n_tokens)[0]));
  const toLaw = name => {  // a point outside the plane of the new law begins where that law does
    const fits = inside(laws[name], state.n_params, state.n_tokens) && state.inference_tokens <= laws[name].ranges.inference_tokens[1];
    set(fits ? { law: name } : { law: name, ...laws[name].start });
  };
  const tip = html("div", { class: "tip", hidden: "" }), bar = dots(tip, ({ n_params, n_tokens }) => set({ n_params, n_tokens }));
  const panel = controls(laws, hardware, { move: (what, value) => set(move(state, law().ranges, what, value)), set, law: toLaw, optimum: optimal }), said = cards();
  const stage = html("div", { class: "stage" }, picture, bar, tip);
  el.append(html("div", { class: "minilm-explorer" }, html("style", {}, LOOK), html("div", { class: "frame" }, html("div", {}, stage, legend()), panel, said)));

  function draw() {
    if (plane) {
      const [lines, drawn] = marks(law(), plane, state, clip);
      moving.replaceChildren(lines);
      above.replaceChildren(...drawn);
    }
    panel.show(state, law());
    said.show(law(), state);
  }

  function drawPlane() {
    const width = stage.clientWidth, height = Math.round(between(width * 0.82, 320, 620));
    if (width < 2 * (MARGIN.left + MARGIN.right)) return draw();  // hidden, or not yet in the page
    plane = scales(law().ranges, width, height);
    for (const [name, value] of Object.entries({ viewBox: `0 0 ${width} ${height}`, height })) picture.setAttribute(name, value);
    for (const rect of [frame, ground]) {
      for (const [name, value] of Object.entries({ x: MARGIN.left, y: MARGIN.top, width: plane.right - MARGIN.left, height: plane.bottom - MARGIN.top })) rect.setAttribute(name, value);
    }
    const seen = Object.entries(models).filter(([, one]) => inside(plane, one.n_params, one.n_tokens))
      .map(([name, one], i, all) => ({ name, ...one, x: plane.x.at(one.n_params), y: plane.y.at(one.n_tokens), above: all.length - i }));
    fixed.replaceChildren(landscape(law(), plane, clip), ...seen.map(({ x, y }) => svg("circle", { class: "real", cx: x, cy: y, r: 4 })));
    written.replaceChildren();
    names(written, seen, plane);
    bar.show(seen.sort((one, other) => one.n_params - other.n_params), law());
    draw();
  }

  const drag = event => {
    const box = picture.getBoundingClientRect(), { n_params, n_tokens } = law().ranges;
    set({ n_params: between(plane.x.value(event.clientX - box.left), ...n_params), n_tokens: between(plane.y.value(event.clientY - box.top), ...n_tokens) });
  };
  stage.addEventListener("pointerdown", event => {
    if (event.button || event.target.closest("button")) return;
    stage.setPointerCapture(event.pointerId);
    drag(event);
  });
  stage.addEventListener("pointermove", event => { if (stage.hasPointerCapture(event.pointerId)) drag(event); });
  const heard = () => {  // from Python
    if (model.get("state") === state) return;
    state = model.get("state");
    drawPlane();
  };
  model.on("change:state", heard);
  const watch = new ResizeObserver(() => { if (stage.clientWidth !== plane?.width) drawPlane(); });
  watch.observe(stage);
  drawPlane();
  return () => { model.off("change:state", heard); watch.disconnect(); };
}

export default { render };
