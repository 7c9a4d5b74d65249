"""Who is "she", and what is "it"? What a listener keeps in mind from sentence to sentence.

Teller and reader share this memory, and with it the rule for pronouns: a pronoun means whoever was named last among those it fits. The
teller uses one only where nobody else could be meant.
"""

from minilm.storyworld.world import Person, Thing

PRONOUNS = {  # by mode of the slot
    "free": {"she": "she", "he": "he", "they": "they"},
    "obj": {"she": "her", "he": "him", "they": "them"},
    "poss": {"she": "her", "he": "his", "they": "their"},
    "himself": {"she": "herself", "he": "himself", "they": "themselves"},
    "was": {"she": "was", "he": "was", "they": "were"},
    "I": {"she": "I", "he": "I", "they": "we"},
    "me": {"she": "me", "he": "me", "they": "us"},
    "my": {"she": "my", "he": "my", "they": "our"},
}
PRONOUNS |= {"he": PRONOUNS["free"], "him": PRONOUNS["obj"], "his": PRONOUNS["poss"]}


def gender(people: tuple[Person, ...]) -> str:
    return people[0].sex if len(people) == 1 else "they"


class Memory:
    """The last mentioned of each gender and the last thing, with the number of the sentence that we are in."""

    def __init__(self) -> None:
        self.sentence = 0
        self.people: list[tuple[Person, ...]] = []  # the last mentioned comes last
        self.thing: Thing | None = None

    def next_sentence(self) -> None:
        self.sentence += 1

    def name(self, who) -> None:
        """Somebody or something was mentioned."""
        if isinstance(who, Thing):
            who.seen, self.thing = self.sentence, who
            return
        for group in dict.fromkeys((*((person,) for person in who), who)):  # in order: a set has another order in each process
            if group in self.people:
                self.people.remove(group)
            self.people.append(group)
        for person in who:
            person.seen = self.sentence

    def candidates(self, pronoun: str) -> list[tuple[Person, ...]]:
        """Whom a pronoun can mean, the likeliest first. "They" without two who were named together are the last two named."""
        found = [group for group in reversed(self.people) if gender(group) == pronoun]
        if pronoun == "they" and not found and len(self.people) > 1:
            found = [(*self.people[-2], *self.people[-1])]
        return found

    def is_clear(self, who) -> bool:
        """True if a pronoun for `who` could mean nobody else: named last of its gender, lately, with no rival in this or the last sentence."""
        recent = self.sentence - 1
        if isinstance(who, Thing):
            return self.thing is who and who.seen >= recent
        pronoun = gender(who)
        for group in reversed(self.people):
            if gender(group) == pronoun:
                if group is not who and group != who:
                    return False
                break
        else:
            return False
        if min(person.seen for person in who) < recent:
            return False
        if len(who) == 2:
            return True
        return not any(len(group) == 1 and group != who and group[0].sex == pronoun and group[0].seen >= recent for group in self.people)
