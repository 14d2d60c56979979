# SPDX-License-Identifier: MIT
"""The plots: data only. Each is (title, sentences, questions with answers).

`{slot}` is bound by cast.py, `[a|b]` picks one wording, and a sentence that
starts with `?` is sometimes left out, so no question may depend on it.
A question names what makes it unique, since several plots share a story.
"""

OPENINGS = [
    "Once upon a time there was a [little|young|kind|brave|clever] {kindA} named {A}. {HeA} lived in {home}.",
    "Once upon a time, in {home}, there lived a [little|young|kind|brave|clever] {kindA} named {A}.",
    "Once there was a [little|young|kind|brave|clever] {kindA} called {A}, who lived in {home}.",
    "Long ago, a [little|young|kind|brave|clever] {kindA} named {A} lived in {home}.",
    "{A} was a [little|young|kind|brave|clever] {kindA}. {HeA} lived in {home}.",
    "In {home} there lived a [little|young|kind|brave|clever] {kindA}. {hisCapA} name was {A}.",
]
HOBBY = ["{A} loved {hobby}.", "Most of all, {A} loved {hobby}.", "Every day {heA} liked {hobby}."]
DAYS = ["One day", "One morning", "One evening", "One {w} day", "One {w} morning", "On a {w} day",
        "One afternoon"]
LATER = ["The next day", "The next morning", "A week later", "Some days later", "Soon after",
         "That evening", "On another day"]
ASIDES = ["The sun was [warm|bright|low].", "A [bird|blackbird] sang in a tree.", "The wind was soft.",
          "The sky was [blue|grey|clear].", "[It was very quiet.|Nobody made a sound.]",
          "The leaves moved in the wind.", "It smelled of [flowers|grass|rain].",
          "Far away a bell rang.", "Small clouds went by."]
CLOSINGS = [
    "And from that day on, {A} and {B} were the best of friends.",
    "{A} went home and slept well that night.",
    "They all laughed and [ate {f} together|danced until it was dark|went home together].",
    "And {A} was {glad} for the rest of the day.",
    "\"What a day,\" said {A}, and {heA} smiled.",
    "That night, {A} told the whole story to {hisA} [mother|father|grandmother|family].",
    "{A} never forgot that day.",
    "And so it ended well for everyone.",
    "From then on, {A} was always [careful|kind|brave].",
    "The end.",
]

PLOTS = [
    ("{A} and the Lost {O}", [
        "{day}, {A} could not find {hisA} {o}.", "\"Where is my {o}?\" asked {A}.",
        "{HeA} looked {inp}, but it was not there.", "?{HeA} looked under the bed and behind the door.",
        "Then {A} met {B}.", "\"I saw it {inq},\" said {B}.",
        "{A} ran to {q}, and there was the {o}.", "{HeA} thanked {B} and felt {glad}."],
     [("Where was the {o}?", "{inq}"), ("What did {A} lose?", "the {o}"),
      ("Who saw the {o}?", "{B}")]),
    ("The {O} in the {Box}", [
        "{day}, {A} hid a {o} in a {c}.", "[The {c} stood|{HeA} put the {c}] {inp}.",
        "{B} [wanted to find|looked for] the {o}.", "?\"I will find it,\" said {B}.",
        "First {B} looked in a {d}, but it was empty.", "Then {heB} opened the {c} and laughed.",
        "\"Here it is!\" said {B}."],
     [("Where did {A} hide the {o}?", "in a {c}"), ("Where was the {c}?", "{inp}"),
      ("Who found the {o}?", "{B}")]),
    ("The Gift for {B}", [
        "{day}, it was the birthday of {B}.", "{A} wanted to give {himB} something nice.",
        "{HeA} went to {p} and bought a {o}.", "?It cost {n} coins.",
        "{A} wrapped it in {paper} paper.", "\"This is for you,\" said {A}.",
        "{B} opened it and was very {glad}.", "\"A {o}! Thank you!\" said {B}."],
     [("What did {A} give to {B}?", "the {o}"), ("Where did {A} buy the {o}?", "{inp}"),
      ("Whose birthday was it?", "{B}")]),
    ("{A} Saves the {An}", [
        "{day}, {A} heard a sound {inp}.", "It was a small {an} that could not get out of a {c}.",
        "\"Do not be afraid,\" said {A}.", "?The {an} was cold and wet.",
        "{HeA} helped the {an} out and gave it some {f}.", "The {an} [ate it all|was hungry and ate].",
        "After that, the {an} followed {A} everywhere."],
     [("What animal did {A} help?", "the {an}"), ("What did the {an} eat?", "{f}"),
      ("Where did {A} find the {an}?", "{inp}")]),
    ("{A} Bakes for {B}", [
        "{day}, {A} wanted to make {f} for {B}.", "But there was no [flour|salt|sugar|butter] in the house.",
        "{HeA} went to {p} and asked {C} for help.", "{C} gave {himA} what {heA} needed.",
        "?{A} worked for {n} hours.", "When the {f} [was ready|was done], {A} took some to {B}.",
        "\"This is the best {f} I ever had,\" said {B}."],
     [("What did {A} make for {B}?", "{f}"), ("Who helped {A} to make {f}?", "{C}")]),
    ("The Race to {P}", [
        "{day}, {A}, {B} and {C} ran a race to {p}.", "\"I will win,\" said {C}.",
        "At first {C} was ahead, but {heC} stopped to [rest|drink|sleep|eat].",
        "?{A} did not look back.", "{win} ran on and on and came first.",
        "The prize was a {o}."],
     [("Who won the race?", "{win}"), ("Where did the race go?", "to {p}"),
      ("What was the prize of the race?", "the {o}")]),
    ("The Storm over {P}", [
        "{day}, a great storm came over {p}.", "The wind took the {o} away from {A}.",
        "{A} was [sad|very sad] and [cried|sat down].", "\"Let us look for it,\" said {B}.",
        "They looked {inq} and they looked {inr}.", "?It rained all the time.",
        "At last {B} found the {o} {inr}."],
     [("Who found the {o} after the storm?", "{B}"), ("Where was the {o} after the storm?", "{inr}"),
      ("What did the wind take?", "the {o}")]),
    ("The Map of {A}", [
        "{day}, {A} found an old map in a {c}.", "The map showed the way to {p}.",
        "{A} asked {B} to come along.", "They walked for {n} days.", "?At night they slept under the stars.",
        "{inpCap} they dug a hole and found a {o}.", "\"We are rich!\" said {B}."],
     [("Where did {A} find the map?", "in a {c}"), ("How many days did they walk?", "{n}"),
      ("What did they dig up?", "the {o}")]),
    ("{A} and the Broken {O}", [
        "{day}, {A} broke the {o} of {B}.", "{HeA} was afraid to tell {himB}.",
        "{A} hid the {o} {inp}.", "?But {heA} could not sleep.",
        "In the end {A} told the truth.", "\"I am sorry. I broke your {o},\" said {A}.",
        "{B} was not angry. \"Let us mend it,\" {heB} said."],
     [("Who broke the {o}?", "{A}"), ("Whose {o} was broken?", "{B}"),
      ("Where did {A} hide the broken {o}?", "{inp}")]),
    ("The {An} and the {Am}", [
        "{day}, {A} saw a {an} and a {am} {inp}.", "They [fought|were fighting] over some {f}.",
        "\"There is enough for both,\" said {A}.", "{HeA} cut the {f} in two.",
        "The {an} got one half and the {am} got the other.", "?They ate without a word.",
        "Then the {an} and the {am} [were friends|played together]."],
     [("What did the {an} and the {am} fight over?", "{f}"),
      ("Where were the {an} and the {am}?", "{inp}")]),
    ("The Letter from {B}", [
        "{day}, a letter came for {A}.", "It was from {B}.", "\"Come to {p} and bring the {o},\" it said.",
        "{A} took the {o} and went at once.", "?The way was long.",
        "{inpCap} {B} was waiting with {C}.", "They needed the {o} to [open a door|make a fire|help a friend]."],
     [("Who wrote the letter?", "{B}"), ("What did the letter ask {A} to bring?", "the {o}"),
      ("Who waited with {B}?", "{C}")]),
    ("{A} Learns to {Skill}", [
        "{day}, {A} wanted to learn to {skill}.", "\"I can teach you,\" said {B}.",
        "They met {inp} every day.", "At first {A} [fell down|made many mistakes|was slow].",
        "?\"Try again,\" said {B}.", "After {n} weeks {A} could {skill} very well."],
     [("What did {A} learn?", "to {skill}"), ("Who taught {A} to {skill}?", "{B}"),
      ("How many weeks did {A} need?", "{n}")]),
    ("The Wish of {A}", [
        "{day}, {A} caught a golden fish {inp}.", "\"Let me go and I will give you a wish,\" said the fish.",
        "{A} wished for a {o}.", "The fish swam away, and there lay the {o}.",
        "?{A} could not believe it.", "{HeA} gave the {o} to {B}, who had nothing."],
     [("What did {A} wish for?", "the {o}"), ("Where did {A} catch the fish?", "{inp}"),
      ("Who got the {o} of the fish?", "{B}")]),
    ("A Night in {P}", [
        "{day}, {A} and {B} lost their way.", "It grew dark, so they stayed {inp}.",
        "{A} was [cold|hungry|afraid].", "{B} made a fire and cooked {f}.",
        "?They heard an owl.", "In the morning {C} found them and brought them home."],
     [("Where did {A} and {B} spend the night?", "{inp}"), ("What did {B} cook?", "{f}"),
      ("Who brought {A} and {B} home?", "{C}")]),
    ("{A} Goes to Market", [
        "{day}, {A} went to sell a {o}.", "On the way {heA} met {B}, who had a {u}.",
        "\"Will you trade?\" asked {B}.", "{A} gave away the {o} and took the {u}.",
        "Then {heA} met {C}, who had a {v}.", "{A} gave away the {u} and took the {v}.",
        "?So {A} came home with the {v}."],
     [("Who got the {o} from {A}?", "{B}"), ("Who got the {u} from {A}?", "{C}"),
      ("What did {A} bring home from the trades?", "the {v}")]),
    ("The Tree of {A}", [
        "{day}, {A} planted a small tree {inp}.", "{HeA} gave it water every day.",
        "?The tree grew and grew.", "After {n} years it was full of {fruit}.",
        "{A} picked the {fruit} and shared them with {B} and {C}."],
     [("Where did {A} plant the tree?", "{inp}"), ("What grew on the tree?", "{fruit}"),
      ("How many years did the tree need?", "{n}")]),
    ("The Secret of {B}", [
        "{day}, {B} told {A} a secret.", "\"There is a {o} {inp},\" {heB} said.",
        "\"I will not tell anyone,\" said {A}.", "?But {C} was listening at the door.",
        "When they came to {p}, the {o} was gone.", "{C} had taken it to {q}.",
        "{C} was sorry and gave it back."],
     [("Who told {A} the secret?", "{B}"), ("Who took the {o}?", "{C}"),
      ("Where did {C} take the {o}?", "to {q}")]),
    ("The Song of {A}", [
        "{day}, {A} sang a song {inp}.", "{B} heard it and came to listen.",
        "Then {C} came with a {o}.", "?Soon everyone was there.",
        "They sang {n} songs.", "\"Sing one more,\" said {B}."],
     [("Where did {A} sing?", "{inp}"), ("What did {C} bring to the song?", "the {o}"),
      ("How many songs did they sing?", "{n}")]),
    ("{A} and the Locked Door", [
        "{day}, {A} came to a locked door {inp}.", "\"I need a key,\" said {A}.",
        "{B} said that the key was in the {c}.", "{A} looked in the {c}, but there was only a {u}.",
        "?{HeA} did not give up.", "The key was in the {d}.", "Behind the door there was a {o}."],
     [("Where was the key?", "in the {d}"), ("What was behind the door?", "the {o}"),
      ("What was in the {c}?", "the {u}")]),
    ("The Visit to {B}", [
        "{day}, {A} went to visit {B} {inp}.", "{HeA} took some {f} and a {o} along.",
        "But {B} was ill and lay in bed.", "{A} cooked {g} and told {himB} a story.",
        "?Outside it was {w}.", "\"I feel better already,\" said {B}."],
     [("What did {A} cook for {B}?", "{g}"), ("Who was ill?", "{B}"),
      ("What did {A} take along besides {f}?", "the {o}")]),
    ("The {O} on the Roof", [
        "{day}, the {o} of {A} landed on the roof.", "{A} could not reach it.",
        "{B} came with a [long stick|ladder|rope], but it was too short.", "?\"What now?\" asked {A}.",
        "Then {C} had an idea. {HeC} asked a {an} for help.", "The {an} climbed up and brought the {o} down."],
     [("What landed on the roof?", "the {o}"), ("Who had the idea with the {an}?", "{C}"),
      ("What animal brought the {o} down?", "the {an}")]),
    ("The Boat to {P}", [
        "{day}, {A} built a boat with {B}.", "They painted it {paper}.",
        "They sailed to {p}.", "?The waves were high.", "There they met {C}, who gave them {f}.",
        "They stayed for {n} days and then sailed home."],
     [("What colour was the boat?", "{paper}"), ("Who built the boat with {A}?", "{B}"),
      ("Where did the boat sail?", "to {p}"), ("Who gave them {f}?", "{C}")]),
    ("{A} and the Snow", [
        "{day}, everything was white with snow.", "{A} made a snowman {inp}.",
        "{HeA} gave it a {o} and a {u}.", "{B} gave it a nose.",
        "?It looked funny.", "In the night {C} took the {u}.", "\"I was so cold,\" said {C}."],
     [("Where was the snowman?", "{inp}"), ("Who took the {u} of the snowman?", "{C}"),
      ("Who gave the snowman a nose?", "{B}")]),
    ("The Clever {An}", [
        "{day}, a {an} came to {A} and asked for {f}.", "\"First you must find my {o},\" said {A}.",
        "The {an} [looked|searched] {inp} and {inq}.", "?Nothing was there.",
        "Then the {an} saw that {B} had the {o}.", "\"{B} has it,\" said the {an}, and so it got the {f}."],
     [("What did the {an} ask for?", "{f}"), ("Who had the {o} that the {an} looked for?", "{B}")]),
    ("The Lamp of {P}", [
        "{day}, the lamp {inp} went out.", "Nobody could see the way.",
        "\"I will go,\" said {A}.", "{HeA} took a {o} and climbed up {n} steps.",
        "?It was dark and cold.", "{A} lit the lamp, and {B} saw the light from {q}."],
     [("Who lit the lamp?", "{A}"), ("How many steps did {A} climb?", "{n}"),
      ("Where was {B} when the lamp was lit?", "{inq}")]),
    ("Three Friends and One {O}", [
        "{day}, {A}, {B} and {C} found a {o} {inp}.", "\"It is mine!\" said {B}.", "\"No, it is mine!\" said {C}.",
        "?They were loud and angry.", "\"Each of us can have it for a day,\" said {A}.",
        "So {win} had the {o} first."],
     [("Where did they find the {o}?", "{inp}"), ("Who had the {o} first?", "{win}")]),
    ("The Robber of {P}", [
        "{day}, someone stole the {o} from {p}.", "\"Was it you, {C}?\" asked {A}.",
        "\"No, I was {inq},\" said {C}.", "?{A} thought for a long time.",
        "Then {heA} found a [feather|footprint|button] by the {c}.", "It was {B} who had taken the {o}.",
        "{B} gave it back and said sorry."],
     [("Who stole the {o}?", "{B}"), ("Where was {C} when the {o} was stolen?", "{inq}")]),
    ("The Long Sleep of {B}", [
        "{day}, {B} fell asleep {inp}.", "{A} called {himB}, but {heB} did not wake up.",
        "{C} played a {o}, but {B} did not wake up.", "?Even thunder did not help.",
        "Then {A} brought some warm {f}.", "{B} opened {hisB} eyes. \"Is that {f}?\" {heB} asked."],
     [("Where did {B} fall asleep?", "{inp}"), ("What woke {B} up?", "{f}")]),
    ("The Promise", [
        "{day}, {A} promised to meet {B} {inp}.", "But on the way {heA} saw a {an} that was hurt.",
        "{A} carried the {an} to {C}, who was a doctor.", "?It took a long time.",
        "{B} waited and waited.", "When {A} came at last, {heA} told {himB} about the {an}.",
        "\"You did the right thing,\" said {B}."],
     [("Where did {A} promise to meet {B}?", "{inp}"), ("What animal was hurt?", "the {an}"),
      ("Who was the doctor?", "{C}")]),
    ("The Painter and the {O}", [
        "{day}, {A} painted a picture of a {o}.", "{B} wanted to buy it for {n} coins.",
        "{C} wanted to trade it for a {u}.", "?{A} thought about it.",
        "{A} gave the picture to {win}.", "{HeA} hung a new one {inp}."],
     [("What did {A} paint?", "the {o}"), ("Who got the picture?", "{win}"),
      ("How many coins did {B} offer?", "{n}")]),
]
