# SPDX-License-Identifier: MIT
"""The small world: the nouns of iau-ci. Its plots are in plots.py."""

from . import plots
from .world import World, places

SMALL = World(
    girls=("Mia Anna Lily Rosa Emma Nora Ella Ruby Clara Ivy Maya Zoe Lucy Tara Hana "
           "Grace Vera Jane Olga Dora Alice Ida Molly Kate Sofia Luna Elsa Nina Iris May").split(),
    boys=("Tom Ben Sam Max Leo Jack Finn Oscar Hugo Theo Noah Paul Adam Ravi Omar Felix "
          "Peter Luke Emil Ivan Karl Otto Henry Milo Joel Victor Dan Rob Tim Nils").split(),
    animal_names=("Rusty Pip Biscuit Shadow Pepper Clover Bramble Hazel Moss Nutmeg "
                  "Willow Bean Snow Ginger Patch Socks Button Fern Daisy Maple").split(),
    girl_kinds="girl girl girl woman queen painter baker farmer sailor".split(),
    boy_kinds="boy boy boy man king miller baker farmer sailor".split(),
    animal_kinds="fox rabbit bear mouse cat dog duck hedgehog owl frog".split(),
    places=places(
        "in the garden|at the market|on the hill|by the river|in the forest|in the kitchen|"
        "at the school|on the beach|under the bridge|in the barn|by the lake|in the attic|"
        "at the mill|in the library|by the well|in the tower|on the farm|in the meadow|"
        "at the station|in the cave|in the cellar|at the harbour|in the workshop|on the island"),
    homes=["a small village", "a little house", "a big city", "a wooden hut", "a white castle",
           "a quiet town", "an old mill", "a tall tower", "a green valley", "a house by the sea"],
    colours="red blue green yellow white black brown golden silver pink purple orange".split(),
    things=("ball kite lamp book coat ring key hat cup drum map boat bell box flute rope spoon "
            "clock doll blanket scarf coin mirror candle shell stone feather ribbon basket kettle").split(),
    hiding="box drawer bag chest bucket cupboard pot barrel sack trunk".split(),
    foods=("bread soup apples cake honey cheese pears plums porridge pancakes berries nuts "
           "carrots pie").split(),
    creatures="bird cat dog goat lamb mouse rabbit squirrel turtle pony duck fox owl frog".split(),
    hobbies=["to sing", "to paint", "to read", "to swim", "to dance", "to climb trees",
             "to bake", "to fish", "to run", "to count stars", "to plant flowers", "to tell stories"],
    weather="sunny rainy windy cold warm foggy snowy bright".split(),
    numbers="two three four five six seven eight nine ten".split(),
    feelings="happy proud glad calm thankful cheerful".split(),
    skills="swim sing dance read paint fish climb skate cook sail".split(),
    fruit="apples pears plums cherries nuts oranges".split(),
    openings=plots.OPENINGS,
    hobby_lines=plots.HOBBY,
    days=plots.DAYS,
    later=plots.LATER,
    asides=plots.ASIDES,
    closings=plots.CLOSINGS,
    plots=plots.PLOTS,
)
