# SPDX-License-Identifier: MIT
"""The plots that the large world adds: data only, in the form that
common/text/plots.py explains."""

OPENINGS = [
    "There once was a [little|young|kind|brave|clever] {kindA} in {home}, and {hisA} name was {A}.",
    "Far away, in {home}, lived a [little|young|kind|brave|clever] {kindA} whom everyone called {A}.",
    "This is the story of {A}, a [little|young|kind|brave|clever] {kindA} who lived in {home}.",
    "Everyone knew {A}, the [little|young|kind|brave|clever] {kindA} who lived in {home}.",
    "Many years ago there lived a [little|young|kind|brave|clever] {kindA}. {HeA} was called {A}, and {hisA} home was {home}.",
    "Once upon a time a [little|young|kind|brave|clever] {kindA} lived in {home}. [Friends called {himA} {A}|The name of this {kindA} was {A}].",
]
HOBBY = ["There was nothing that {A} liked more than {hobby}.", "If you asked {A}, the best thing was {hobby}.",
         "When the work was done, {A} liked {hobby}."]
DAYS = ["Early one morning", "Late one evening", "One fine day", "One {w} afternoon", "In the middle of the day",
        "On the first day of [spring|summer|autumn|winter]"]
LATER = ["Two days later", "A month later", "When morning came", "After that", "Before long", "Not much later",
         "On the following day"]
ASIDES = ["A [dog|cock] could be heard far away.", "[Snow|Rain|Dew] lay on the grass.", "The clock struck [two|four|six].",
          "There was a smell of [smoke|bread|hay].", "The clouds moved slowly.", "Somewhere a door closed.",
          "The moon was [thin|round|bright].", "A [bee|butterfly] flew past."]
CLOSINGS = [
    "{A} and {B} [talked about it for years|still laugh about it today].",
    "\"Let us do that again,\" said {B}, and {A} [nodded|laughed].",
    "When {A} was old, {heA} still told this story.",
    "That evening {A} fell asleep with a smile.",
    "\"All is well,\" said {A}.",
    "And that is how {A} learned to [be patient|ask for help|trust {hisA} friends].",
    "Nobody was happier than {A} that night.",
    "Then everyone went to bed.",
]

PLOTS = [
    ("{A} and the Hungry {An}", [
        "{day}, a hungry {an} stood [at the door|before the house].", "\"Have you something to eat?\" asked the {an}.",
        "{A} had only a little {f}, but {heA} shared it.", "?The {an} ate very fast.",
        "To say thank you, the {an} showed {A} a {o} {inp}.", "{A} gave the {o} to {B}."],
     [("What did {A} share with the {an}?", "{f}"), ("Where did the {an} show {A} the {o}?", "{inp}"),
      ("Who was given the {o}?", "{B}")]),
    ("The Well of {P}", [
        "{day}, {A} dropped {hisA} {o} into a well {inp}.", "It was too deep to reach.",
        "{B} tied a {c} to a long rope.", "?They let it down slowly.",
        "After {n} tries the {o} came up.", "\"You are clever, {B},\" said {A}."],
     [("What fell into the well?", "the {o}"), ("Where was the well?", "{inp}"),
      ("Who got the {o} out of the well?", "{B}")]),
    ("{A} Builds a House for the {An}", [
        "{day}, {A} saw that the {an} had no home.", "{HeA} took wood and a {c} and built a small house {inp}.",
        "{B} painted it {paper}.", "?It took {n} days.", "The {an} moved in and was {glad}.",
        "{C} hung a {o} over the door."],
     [("Where did the house of the {an} stand?", "{inp}"), ("Who painted the house?", "{B}"),
      ("What hung over the door?", "the {o}")]),
    ("The Missing {An}", [
        "{day}, the {an} of {A} was gone.", "{A} [called|whistled], but no answer came.",
        "{B} had seen it {inp}, but it had left.", "{C} had heard it {inq}.", "?{A} followed the tracks.",
        "In the end the {an} sat {inr} and ate {f}."],
     [("Where did {A} find the missing {an}?", "{inr}"), ("Who had heard the {an}?", "{C}"),
      ("What did the missing {an} eat?", "{f}")]),
    ("The Feast of {B}", [
        "{day}, {B} invited everyone to a feast {inp}.", "{A} brought {f}, and {C} brought {g}.",
        "?There were {n} tables.", "Only a {o} was missing.", "{A} ran home and [brought|fetched] one.",
        "Now the feast could begin."],
     [("Where was the feast?", "{inp}"), ("What did {C} bring to the feast?", "{g}"),
      ("What did {A} bring to the feast first?", "{f}")]),
    ("{A} and the Sleeping Giant", [
        "{day}, a giant lay asleep {inp}.", "Nobody dared to pass.", "{A} crept past with a {o} [in {hisA} hand|under {hisA} arm].",
        "?The giant [turned over|snored].", "{HeA} brought the {o} to {B}, who was waiting {inq}.",
        "\"Were you afraid?\" asked {B}. \"A little,\" said {A}."],
     [("Where did the giant sleep?", "{inp}"), ("What did {A} carry past the giant?", "the {o}"),
      ("Who waited for {A} {inq}?", "{B}")]),
    ("The Bet about the {O}", [
        "{day}, {B} made a bet with {C}.", "\"{A} will never find the {o},\" said {B}.", "\"{HeA} will,\" said {C}.",
        "{A} searched {inp}, then {inq}, then {inr}.", "?It grew late.", "The {o} was {inq} after all, under a {c}.",
        "So {C} won the bet and got some {f}."],
     [("Who won the bet?", "{C}"), ("What was the {o} under?", "a {c}"),
      ("What did the winner of the bet get?", "{f}")]),
    ("The New Neighbour of {A}", [
        "{day}, {B} moved into the house next door.", "{A} brought {himB} some {f} and a {o}.",
        "\"Where do you come from?\" asked {A}.", "\"From {home}, like you,\" said {B}, and both laughed.",
        "?They drank tea.", "Later they went to {p} and met {C}."],
     [("Who moved in next door?", "{B}"), ("What did {A} bring to the neighbour besides {f}?", "the {o}"),
      ("Whom did {A} and the neighbour meet?", "{C}")]),
    ("{A} Mends the {O}", [
        "{day}, the {o} of {B} fell and broke.", "\"I can mend it,\" said {A}.",
        "{HeA} took it to {p} and worked for {n} hours.", "?{B} could not wait.",
        "{A} used a {u} and some glue.", "The {o} was as good as new."],
     [("What did {A} mend?", "the {o}"), ("Where did {A} mend it?", "{inp}"),
      ("What did {A} use besides glue?", "the {u}")]),
    ("The Contest of {P}", [
        "{day}, there was a contest {inp}.", "Whoever could {skill} best would get a {o}.",
        "{A} tried first, then {B}, then {C}.", "?The people clapped.", "\"The winner is {win}!\" said the judge.",
        "The judge was a {an}, but nobody minded."],
     [("Who won the contest?", "{win}"), ("What could one win at the contest?", "the {o}"),
      ("What animal was the judge?", "the {an}")]),
    ("{A} and the Long Bridge", [
        "{day}, {A} had to cross a long bridge.", "In the middle stood a {an}.", "\"Give me your {o},\" said the {an}.",
        "\"No, but I have some {f},\" said {A}.", "?The {an} thought for a while.",
        "The {an} took the {f} and let {himA} pass.", "So the {o} came safely to {B} {inp}."],
     [("What did {A} give to the {an} on the bridge?", "{f}"), ("What did the {an} on the bridge want?", "the {o}"),
      ("Who got the {o} in the end?", "{B}")]),
    ("The Cold Night of {A}", [
        "{day}, it was so cold that [the water froze|nobody went out].", "{A} had no wood left.",
        "{B} brought wood in a {c}.", "{C} brought {f}.", "?The wind howled.", "They sat by the fire and sang {n} songs."],
     [("Who brought the wood?", "{B}"), ("What was the wood in?", "a {c}"), ("What did {C} bring in the cold night?", "{f}")]),
    ("The {O} That Nobody Wanted", [
        "{day}, {A} found an ugly {o} {inp}.", "{B} did not want it.", "{C} did not want it either.",
        "?{A} cleaned it for {n} hours.", "Under the dirt it was [shining|beautiful].",
        "Now {B} offered a {u} for it, but {A} kept it."],
     [("Where was the ugly {o}?", "{inp}"), ("What did {B} offer for the {o}?", "the {u}"),
      ("Who kept the ugly {o}?", "{A}")]),
    ("{A} Writes to {C}", [
        "{day}, {A} wrote a letter to {C}.", "\"Dear {C}, please send me the {o},\" it said.",
        "A {an} carried the letter to {q}.", "?The way took {n} hours.", "{C} read it and gave the {o} to the {an}.",
        "But the {an} brought it to {B} by mistake."],
     [("Who carried the letter of {A}?", "the {an}"), ("What did {A} ask {C} for?", "the {o}"),
      ("Who got the {o} by mistake?", "{B}")]),
    ("The Ghost of {P}", [
        "{day}, people said there was a ghost {inp}.", "{A} and {B} went to see.", "They heard a [strange|terrible] noise.",
        "?{B} wanted to run.", "But it was only a {an} in a {c}.", "They took the {an} to {C}."],
     [("Where was the ghost?", "{inp}"), ("What was the ghost really?", "the {an}"), ("Who got the {an} of the ghost?", "{C}")]),
    ("The Picnic at {P}", [
        "{day}, {A} and {B} had a picnic {inp}.", "They had packed {f} and {g}.", "?The grass was soft.",
        "While they slept, a {an} ate the {g}.", "\"Who was that?\" asked {B}.", "{A} [laughed|pointed] and shared the {f}."],
     [("Where was the picnic?", "{inp}"), ("Who ate the {g}?", "the {an}"), ("What was left of the picnic?", "{f}")]),
    ("{A} and the Two Doors", [
        "{day}, {A} stood before two doors {inp}.", "Behind one was a {o}, behind the other a {u}.",
        "\"Take the left one,\" said {B}.", "\"Take the right one,\" said {C}.", "?It was hard to choose.",
        "{A} listened to {B} and found the {o}."],
     [("What was behind the door that {A} took?", "the {o}"), ("Who said that {A} should take the right door?", "{C}"),
      ("What was behind the other door?", "the {u}")]),
    ("The Shop of {B}", [
        "{day}, {B} opened a shop {inp}.", "{A} bought a {o} for {n} coins.", "{C} bought a {u}.",
        "?The shop was full of people.", "In the evening only a {v} was left.", "{B} gave it to a {an}."],
     [("Who bought the {u} in the shop?", "{C}"), ("How many coins did {A} pay?", "{n}"),
      ("What was left in the shop?", "the {v}")]),
    ("The Dream of {A}", [
        "{day}, {A} fell asleep {inp}.", "In {hisA} dream {heA} could fly over {q}.", "?Everything looked small.",
        "A {an} flew beside {himA} and sang.", "Then {B} woke {himA} with a {o}.", "\"I was flying,\" said {A}."],
     [("Where did {A} fall asleep?", "{inp}"), ("What animal flew beside {A}?", "the {an}"), ("Who woke {A}?", "{B}")]),
    ("{A} Counts Every {O}", [
        "{day}, {C} asked {A} to count every {o} {inp}.", "{A} counted {n}.", "But {B} had hidden one in a {c}.",
        "?{C} counted again.", "\"One is missing,\" said {C}.", "{B} [turned red|laughed] and brought it back."],
     [("How many did {A} count?", "{n}"), ("Where had {B} hidden one?", "in a {c}"), ("Who asked {A} to count?", "{C}")]),
    ("The Doctor for the {An}", [
        "{day}, the {an} of {B} was ill.", "{A} ran to {p} to find {C}.", "\"Give it some {f},\" said {C}.",
        "?The {an} did not want to eat.", "{A} mixed the {f} with {g}.", "After {n} days the {an} could run again."],
     [("Whose {an} was ill?", "{B}"), ("Where did {A} find {C}?", "{inp}"), ("What did {A} mix with the {f}?", "{g}")]),
    ("The Statue in {P}", [
        "{day}, {A} made a statue of a {an}.", "It stood {inp}.", "{B} put a {o} on its head.", "?Everyone came to look.",
        "In the night {C} took the {o} away.", "\"Now it looks sad,\" said {A}."],
     [("What did the statue show?", "the {an}"), ("Who put the {o} on the statue?", "{B}"),
      ("Who took the {o} from the statue?", "{C}")]),
    ("{A} Crosses the Desert", [
        "{day}, {A} set out to cross the desert with {B}.", "They had one {c} full of water.",
        "On day {n} the water was gone.", "?The sun burned.", "Then {B} saw a {an}. \"Where it goes, there is water,\" {heB} said.",
        "The {an} led them to {p}."],
     [("Who crossed the desert with {A}?", "{B}"), ("On which day was the water gone?", "{n}"),
      ("Where did the {an} lead them?", "to {p}")]),
    ("The Old Clock of {B}", [
        "{day}, the clock of {B} stood still.", "{A} opened it and found a {o} inside.", "\"That was the trouble,\" said {A}.",
        "?{B} was surprised.", "{B} had lost the {o} {n} years ago {inp}.", "Now the clock went again."],
     [("What was inside the clock?", "the {o}"), ("Whose clock stood still?", "{B}"),
      ("How many years ago did {B} lose the {o}?", "{n}")]),
    ("The Flood of {P}", [
        "{day}, the water rose and rose {inp}.", "{A} put {hisA} {o} on the roof.", "{B} sat on a {c} and floated past.",
        "?\"Hold on!\" called {A}.", "{A} threw a rope and pulled {B} out.", "The next day {C} brought them {f}."],
     [("What did {A} put on the roof?", "the {o}"), ("What did {B} float on?", "a {c}"),
      ("Who brought {f} after the flood?", "{C}")]),
    ("{A} Plays Hide and Seek", [
        "{day}, {A}, {B} and {C} played hide and seek {inp}.", "{A} counted to {n}.", "{B} hid in a {c}.",
        "{C} hid behind a {o}.", "?It was quiet for a while.", "{A} found {win} first."],
     [("Where did {B} hide in the game?", "in a {c}"), ("What did {C} hide behind?", "the {o}"),
      ("Where did they play hide and seek?", "{inp}")]),
    ("The Last {O} of {P}", [
        "{day}, there was only one {o} left {inp}.", "{A} wanted it, and {B} wanted it too.",
        "\"Whoever brings me a {u} gets it,\" said {C}.", "?They both ran off.", "{win} was the first to come back with a {u}.",
        "The other one got some {f}."],
     [("What did {C} want for the last {o}?", "the {u}"), ("Who got the last {o}?", "{win}"),
      ("What did the other one get?", "{f}")]),
    ("{A} Teaches the {An}", [
        "{day}, {A} tried to teach a {an} to {skill}.", "They practised {inp}.", "?It was not easy.",
        "For every try the {an} got some {f}.", "After {n} months the {an} could {skill} better than {B}."],
     [("What did the {an} learn?", "to {skill}"), ("Where did the {an} practise?", "{inp}"),
      ("Who could {skill} less well than the {an}?", "{B}")]),
    ("The Treasure of {C}", [
        "{day}, {C} told {A} about a treasure.", "\"It is in a {c} {inp}, under a {o},\" said {C}.",
        "{A} went there with {B}.", "?They dug for {n} hours.", "The {c} was full of {fruit}.",
        "\"That is a good treasure too,\" said {B}."],
     [("Who told {A} about the treasure?", "{C}"), ("What was the treasure under?", "the {o}"),
      ("What was the treasure?", "{fruit}")]),
    ("The Quarrel of {A} and {B}", [
        "{day}, {A} and {B} quarrelled about a {o}.", "{A} went to {p}, and {B} went to {q}.", "?Both were sad.",
        "{C} took the {o} and hid it in a {c}.", "\"You get it back when you are friends again,\" said {C}.",
        "So they shook hands {inr}."],
     [("What did {A} and {B} quarrel about?", "the {o}"), ("Where did {B} go after the quarrel?", "to {q}"),
      ("Where did they shake hands?", "{inr}")]),
]
