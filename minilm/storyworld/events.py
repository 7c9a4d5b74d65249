"""What may happen, and what does it change? The rules of every event of the table.

Each event is a function of the world and its arguments: it first says what must be true (`world.need`) and then changes the world. The
teller obeys the needs, so its stories have no fault; the reader replays the events that it understood in a story, and each need that is not met
is a fault. What only colors a story (weather, moods, small talk among people who are together) has no rule of its own.

The names are those of the files in `sentences`; arguments are A B C people, X Y things, P place, S spot, V activity, T trait, L lesson.
"""

from minilm.storyworld.world import HOME, World, names


def happen(world: World, event: str, **arguments) -> None:
    """Let an event happen in a world. Raises KeyError for an event that has no rules."""
    if world.ended and event not in LAST_EVENTS:
        world.need(False, "ending", f"the story goes on after its end ({event})")
    if not world.begun and event not in FIRST_EVENTS:
        world.need(False, "order", "the story does not begin by introducing anybody")
    EVENTS[event](world, **arguments)
    world.begun = True


def _nothing(world, **arguments) -> None:
    """Told for its own sake: nothing in the world changes."""


def meet(world, A, B=(), P=None) -> None:
    world.need(not world.begun, "order", f"{names(A + B)} is introduced as if the story began again")
    for person in A + B:
        person.place = P


def friend(world, A, B) -> None:
    B[0].place = None


def loves(world, A, V) -> None:
    for person in A:
        person.can.add(V.base)


def owns(world, A, X) -> None:
    world.hold(A, X, own=True)


def gift(world, A, X, B) -> None:
    world.together(A, B)
    world.hold(A, X, own=True)


def scene(world, P) -> None:
    world.need(
        any(person.place in (None, P) for person in world.people.values()), "place", f"nobody is there, but it is told what {P} is like"
    )


def harmless(world, B) -> None:
    hero = next(iter(world.people.values()))
    B[0].place = hero.place


def sick(world, A) -> None:
    for person in A:
        person.sick, person.place = True, HOME


def better(world, A) -> None:
    for person in A:
        world.need(person.sick, "order", f"{person} gets well without having been ill")
        person.sick = False


def plant(world, A, X) -> None:
    world.has(A, X)
    world.let_go(X)
    X.state = "planted"
    world.open(A, "grow", X)


def tend(world, A, X) -> None:
    world.need(X.state == "planted", "order", f"{X} is watered, but it is not in the earth")


def grow(world, X) -> None:
    world.need(X.state == "planted", "order", f"{X} grows, but it was not planted")
    X.state = "grown"
    world.settle("grow", None, X)


def play(world, A, V) -> None:
    world.well(A)
    world.together(A)


def play_with(world, A, X) -> None:
    world.well(A)
    world.together(A)
    world.has(A, X)
    world.need(X.state == "whole", "impossible", f"{X} is {X.state}")


def go(world, A, P) -> None:
    world.move(A, P)
    world.settle("go", A, P)


def go_home(world, A) -> None:
    world.move(A, HOME)
    world.settle("way", A, HOME)


def follow(world, A, B, P) -> None:
    world.together(A, B)
    world.move(A + B, P)
    world.settle("go", A + B, P)


def encounter(world, A, B) -> None:
    B[0].place = A[0].place


def arrive(world, B, A) -> None:
    world.need(not all(person.place and person.place == A[0].place for person in B), "place", f"{names(B)} comes, but is already there")
    world.well(B)
    for person in B:
        person.place = A[0].place


def leave(world, A, B) -> None:
    world.well(A)
    world.together(A, B)
    for person in A:
        person.place = "away"


def warn(world, B, A, P) -> None:
    world.together(A, B)


def lost_way(world, A) -> None:
    world.well(A)
    world.open(A, "way", HOME)
    for person in A:
        person.place = "nowhere"


def guide(world, B, A) -> None:
    world.need(any(want.kind == "way" and want.person in A for want in world.wants), "order", f"{names(A)} is led home, but was not lost")
    world.together(A, B)
    world.settle("way", A, HOME)
    for person in A + B:
        person.place = HOME


def see_shop(world, A, X) -> None:
    X.in_shop = True


def take(world, A, X) -> None:
    world.whole_or_broken(X)
    world.need(X.holder is None, "owner", f"{names(A)} picks up {X}, but {X.holder} has it")
    world.need(not X.stuck, "impossible", f"{names(A)} picks up {X}, but it is stuck {X.spot}")
    world.hold(A, X)


def find(world, A, X) -> None:
    world.hold(A, X, own=True)


def buy(world, A, X) -> None:
    world.need(X.in_shop, "owner", f"{names(A)} buys {X}, but it is not for sale")
    world.hold(A, X, own=True)


def make(world, A, X) -> None:
    world.hold(A, X, own=True)


def bake(world, A, X) -> None:
    world.need(X.is_food, "impossible", f"{X} cannot be baked or cooked")
    make(world, A, X)


def show(world, A, X, B) -> None:
    world.together(A, B)
    world.has(A, X)


def give(world, A, X, B) -> None:
    world.together(A, B)
    world.has(A, X)
    world.hold(B, X, own=True)


def lend(world, A, X, B) -> None:
    world.together(A, B)
    world.has(A, X)
    world.hold(B, X)


def give_back(world, A, X, B) -> None:
    world.together(A, B)
    world.has(A, X)
    world.need(X.owner in B, "owner", f"{X} is given back to {names(B)}, but it is {X.owner}'s")
    for person in A:
        person.guilty_of.discard(X)
    world.hold(B, X)


def share(world, A, X, B) -> None:
    world.together(A, B)
    eat(world, A, X)


def eat(world, A, X) -> None:
    world.has(A, X)
    world.need(X.is_food, "impossible", f"{X} cannot be eaten")
    X.state, X.holder = "eaten", None
    world.settle("have", None, X)


def offer_trade(world, A, X, B, Y) -> None:
    world.together(A, B)
    world.has(A, X)
    world.has(B, Y)
    world.hold(B, X, own=True)
    world.hold(A, Y, own=True)


def grab(world, A, X, B) -> None:
    world.together(A, B)
    world.has(B, X)
    for person in A:
        person.guilty_of.add(X)
    world.hold(A, X)


def steal(world, B, X, A) -> None:
    world.together(A, B)
    world.has(A, X)
    world.let_go(X, missing=True)
    world.open(A, "find", X)
    for person in B:
        person.place = "away"
        person.guilty_of.add(X)


def take_secretly(world, A, X, B) -> None:
    world.need(X.holder in B or (X.holder is None and X.owner in B), "owner", f"{names(A)} takes {X} from {names(B)}, who does not have it")
    world.hold(A, X)
    X.missing = True
    for person in A:
        person.guilty_of.add(X)
    world.open(A, "confess", X)


def keep(world, A, X, B) -> None:
    world.together(A, B)
    world.has(A, X)


def want(world, A, X) -> None:
    world.need(X.holder not in A, "owner", f"{names(A)} wants {X} and already has it")
    world.open(A, "have", X)


def want_do(world, A, V) -> None:
    for person in A:
        world.need(V.base not in person.can, "knowledge", f"{person} can {V.base} already")
    world.open(A, "do", V)


def want_go(world, A, P) -> None:
    world.need(not all(person.place == P for person in A), "place", f"{names(A)} wants to go to {P} and is there")
    world.open(A, "go", P)


def ask_for(world, A, X, B) -> None:
    world.together(A, B)
    world.need(X.holder not in A, "owner", f"{names(A)} asks for {X} and already has it")
    world.asked = (A, B)


def refuse(world, B, X, A) -> None:
    world.together(A, B)
    world.need(X.holder not in A, "owner", f"{names(A)} is refused {X} and already has it")


def lose(world, A, X) -> None:
    world.has(A, X)
    world.let_go(X, missing=True)
    world.open(A, "find", X)


def wind(world, X, A) -> None:
    world.has(A, X)
    world.let_go(X, missing=True)
    world.open(A, "find", X)


def stuck(world, X, S) -> None:
    world.need(X.holder is None, "owner", f"{X} is stuck {S}, but {X.holder} has it")
    world.let_go(X, spot=S)
    X.stuck = True
    X.known_by = set(world.people.values())


def miss(world, A, X) -> None:
    world.need(X.holder not in A, "owner", f"{names(A)} misses {X} and has it")
    world.need(X.missing, "order", f"{names(A)} misses {X}, which nobody lost or took")
    world.open(A, "find", X)


def search(world, A, S, X) -> None:
    world.need(X.holder not in A, "owner", f"{names(A)} looks for {X} and has it")
    world.need(X.spot != S, "place", f"{X} is said not to be {S}, but it is there")
    X.searched.add(S)


def find_at(world, A, X, S) -> None:
    world.whole_or_broken(X)
    world.need(X.holder is None or X.missing, "owner", f"{names(A)} finds {X}, but {X.holder} has it")
    world.need(X.spot in (None, S), "place", f"{X} is found {S}, but it was {X.spot}")
    world.need(S not in X.searched, "place", f"{X} is found {S}, where it was not before")
    culprits = [person for person in world.people.values() if X in person.guilty_of]
    world.hold(A, X)
    for person in culprits:
        world.settle("confess", (person,), X)


def know_not(world, A, X) -> None:
    world.need(X.holder not in A and not X.known_by & set(A), "knowledge", f"{names(A)} says not to know where {X} is, but knows it")


def put(world, A, X, S) -> None:
    world.has(A, X)
    world.let_go(X, spot=S)
    X.known_by = world.people_at(A[0].place) | set(A)


def hide(world, A, X, S) -> None:
    world.has(A, X)
    missing = X.owner not in A
    world.let_go(X, spot=S, missing=missing)
    X.known_by = set(A)
    if missing:
        for person in A:
            person.guilty_of.add(X)


def remember(world, A, X, S) -> None:
    world.need(X.spot == S, "place", f"{names(A)} remembers {X} {S}, but it is {X.spot or 'not there'}")
    world.need(X.known_by & set(A), "knowledge", f"{names(A)} cannot know where {X} is")


def reach(world, A, X) -> None:
    cannot_reach(world, A, X)
    world.hold(A, X)


def cannot_reach(world, A, X) -> None:
    world.well(A)
    world.need(X.stuck, "order", f"{names(A)} tries to get {X} down, but it is not stuck")


def break_(world, A, X) -> None:
    world.whole_or_broken(X)
    world.need(
        X.holder is None or X.holder in A or X.holder.place == A[0].place,
        "owner",
        f"{names(A)} breaks {X}, but {X.holder} has it elsewhere",
    )
    world.need(X.state != "broken", "impossible", f"{X} breaks, but it is broken already")
    X.state = "broken"
    for person in A:
        person.guilty_of.add(X)


def wear_out(world, X) -> None:
    world.whole_or_broken(X)
    world.need(X.state != "broken", "impossible", f"{X} breaks, but it is broken already")
    X.state = "broken"


def mend(world, A, X) -> None:
    world.need(X.state == "broken", "order", f"{names(A)} mends {X}, but it is not broken")
    X.state = "whole"


def speak(world, A, B) -> None:
    world.together(A, B)


def tell_lost(world, A, B, X) -> None:
    world.together(A, B)
    world.need(X.holder not in A, "owner", f"{names(A)} says that {X} is lost, but has it")


def tell_secret(world, A, B, X) -> None:
    world.together(A, B)


def tell_broken(world, A, B, X) -> None:
    world.together(A, B)
    world.need(X.state == "broken", "order", f"{X} is said to be broken, and is not")


def ask_where(world, A, B, X) -> None:
    world.together(A, B)
    know_not(world, A, X)


def tell_where(world, A, B, X, S) -> None:
    world.together(A, B)
    world.need(X.spot in (None, S), "place", f"{X} is said to be {S}, but it is {X.spot}")
    world.need(S not in X.searched, "place", f"{X} is said to be {S}, where it was looked for in vain")
    world.need(X.holder is None, "owner", f"{X} is said to be {S}, but {X.holder} has it")
    world.need(X.spot is None or X.known_by & set(A), "knowledge", f"{names(A)} cannot know where {X} is")
    X.spot = S
    X.known_by |= set(A) | set(B)


def no_idea(world, A, B, X) -> None:
    world.together(A, B)
    know_not(world, A, X)


def offer(world, A, B) -> None:
    world.together(A, B)
    world.asked = (A, B)


def thank(world, A, B) -> None:
    world.together(A, B)
    world.thanked |= set(B)


def welcome(world, A, B) -> None:
    world.together(A, B)
    world.need(world.thanked & set(A), "order", f"{names(A)} answers thanks that nobody said")


def sorry(world, A, B) -> None:
    world.together(A, B)
    for person in A:
        person.sorry = True


def forgive(world, A, B) -> None:
    world.together(A, B)
    world.need(any(person.sorry for person in B), "order", f"{names(A)} forgives {names(B)}, who did not say sorry")


def invite(world, A, B, V) -> None:
    world.together(A, B)
    world.asked = (A, B)


def answer(world, A, B) -> None:
    world.together(A, B)
    world.need(world.asked and set(world.asked[0]) & set(B), "order", f"{names(A)} answers {names(B)}, who asked nothing")
    world.asked = None


def lie(world, A, B, X) -> None:
    world.together(A, B)
    guilty = any(X in person.guilty_of for person in A)
    world.need(guilty or X.known_by & set(A), "knowledge", f"{names(A)} lies about {X}, but knows nothing of it")


def confess(world, A, B, X) -> None:
    world.together(A, B)
    world.need(any(X in person.guilty_of for person in A), "knowledge", f"{names(A)} confesses about {X}, but did nothing to it")
    for person in A:
        person.sorry = True
    world.settle("confess", A, X)


def sad_lost(world, A, X) -> None:
    world.need(X.holder not in A, "owner", f"{names(A)} is sad that {X} is gone, and has it")
    world.need(X.missing or X.state == "eaten" or X.holder is not None or X.stuck, "order", f"{X} is not gone")


def sad_broken(world, A, X) -> None:
    world.need(X.state == "broken", "order", f"{names(A)} is sad that {X} is broken, and it is not")


def happy_have(world, A, X) -> None:
    world.need(X.holder in A or X.unclear, "owner", f"{names(A)} is glad to have {X}, but {X.holder or 'nobody'} has it")


def try_do(world, A, V) -> None:
    world.well(A)
    for person in A:
        world.need(V.base not in person.can, "knowledge", f"{person} can {V.base} already")


def practice(world, A, V) -> None:
    world.well(A)


def teach(world, B, A, V) -> None:
    world.together(A, B)
    world.need(not any(want.kind == "do" and want.goal == V and want.person in B for want in world.wants), "knowledge", f"{names(B)} cannot {V.base} and teaches it")  # fmt: skip


def manage(world, A, V) -> None:
    world.well(A)
    for person in A:
        world.need(V.base not in person.can, "knowledge", f"{person} could {V.base} before")
        person.can.add(V.base)
    world.settle("do", A, V)


def give_up(world, A, V) -> None:
    world.settle("do", A, V)


def race(world, A, B) -> None:
    world.together(A, B)
    world.well(A + B)
    world.racing = A + B


def win(world, A, B) -> None:
    world.need(world.racing and set(world.racing) == set(A + B), "order", f"{names(A)} wins a race that did not take place")
    world.racing = None


def stuck_self(world, A, S) -> None:
    for person in A:
        person.stuck = S
    world.open(A, "get free", S)


def free(world, B, A) -> None:
    world.together(A, B)
    for person in A:
        world.need(person.stuck, "order", f"{person} is set free, but was not stuck")
        world.settle("get free", A, person.stuck)
        person.stuck = None


def sleep(world, A) -> None:
    for person in A:
        world.need(person.place in (None, HOME) or person.place in BEDROOMS, "place", f"{person} goes to bed, but is {person.place}")
        person.place = HOME


def end_with_loss(world, A, X) -> None:
    world.need(X.holder not in A, "owner", f"{names(A)} never gets {X}, but has it")
    world.wants = [want for want in world.wants if want.goal is not X]
    world.ended = True


def end(world, A, B=()) -> None:
    world.ended = True


def the_end(world) -> None:
    world.need(world.ended, "ending", "it says that this is the end, but nothing has come to an end")


BEDROOMS = ("bedroom",)
FIRST_EVENTS = ("meet", "meet_in", "meet_two")
LAST_EVENTS = ("moral", "the_end")
FEELINGS = ("happy", "sad", "angry", "scared", "proud", "guilty", "excited", "surprised", "calm", "bored", "lonely", "tired", "hungry")
_SPOKEN = ("greet", "ask_wrong", "help", "comfort", "praise", "tease", "promise", "scold", "surprise")
_TOLD = ("next_day", "weather", "rain", "sunset", "notice", "wait", "noise", "dark_fear", "chore", "think", "idea", "brave", "fall", "wish", "magic", "boast", "see_thing", "trait", "day", "moral")  # fmt: skip
_SAME_NAME = (
    friend, loves, owns, gift, scene, harmless, sick, better, plant, tend, grow, play, play_with, go, go_home, follow,
    encounter, arrive, leave, warn, lost_way, guide, see_shop, take, find, buy, make, bake, show, give, lend, give_back, share, eat,
    offer_trade, grab, steal, take_secretly, keep, want, want_do, want_go, ask_for, refuse, lose, wind, stuck, miss, search, find_at,
    know_not, put, hide, remember, reach, cannot_reach, wear_out, mend, tell_lost, tell_secret, tell_broken, ask_where, tell_where, no_idea, offer,
    thank, welcome, sorry, forgive, invite, lie, confess, sad_lost, sad_broken, happy_have, try_do, practice, teach, manage, give_up,
    race, win, stuck_self, free, sleep, the_end, meet,
)  # fmt: skip
EVENTS = (
    {function.__name__: function for function in _SAME_NAME}
    | dict.fromkeys(FEELINGS + _TOLD, _nothing)
    | dict.fromkeys(_SPOKEN, speak)
    | {
        "meet_in": meet,
        "meet_two": meet,
        "break": break_,
        "agree": answer,
        "decline": answer,
    }
    | {"end_happy": end, "end_friends": end, "end_lonely": end, "end_sad": end_with_loss}
)
