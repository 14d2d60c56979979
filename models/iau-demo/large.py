# SPDX-License-Identifier: MIT
"""The large world: the small one and more of everything. Its plots are in tales.py.

There are more colours than things in a story, and foods are words that take "is"
and "some"."""

from dataclasses import replace

import tales
from common.text.small import SMALL
from common.text.world import places

LARGE = replace(
    SMALL,
    girls=SMALL.girls + ("Ada Bella Cora Edith Flora Greta Helen Julia Karin Lena Marta Nelly Paula "
                         "Rita Sara Thea Ursula Wanda Yara Zara").split(),
    boys=SMALL.boys + ("Albert Boris Carl David Eric Frank George Harry Jonas Kevin Lars Martin Ned "
                       "Oliver Philip Ralph Simon Tobias Walter Yuri").split(),
    animal_names=SMALL.animal_names + "Acorn Bubbles Cinder Dusty Ember Fluff Hopper Mittens Pebble Speck".split(),
    girl_kinds=SMALL.girl_kinds + "teacher gardener doctor princess shepherd weaver".split(),
    boy_kinds=SMALL.boy_kinds + "teacher gardener doctor prince shepherd smith".split(),
    animal_kinds=SMALL.animal_kinds + "hare badger goose wolf beaver crow".split(),
    places=SMALL.places + places(
        "at the fair|in the orchard|on the stairs|by the gate|in the bakery|by the waterfall|on the roof|"
        "in the chapel|at the inn|by the fountain|in the stable|on the pier|in the greenhouse|by the fence|"
        "on the rock|in the valley|at the crossroads|behind the wall"),
    homes=SMALL.homes + ["a yellow caravan", "a busy port", "a cottage near the woods", "a stone farmhouse",
                         "a lighthouse", "a town with many bridges", "a cabin in the mountains",
                         "a street of bakers", "a tent by the river", "a snowy village"],
    colours=SMALL.colours + "grey turquoise violet striped spotted copper crimson amber".split(),
    things=SMALL.things + ("whistle lantern shovel wheel saddle necklace pencil letter trumpet violin anchor "
                           "compass bottle broom pillow carpet puppet umbrella button ladder hammer "
                           "purse helmet statue vase").split(),
    hiding=SMALL.hiding + "suitcase jar hamper wagon crate tin basin casket".split(),
    foods="bread soup cake honey cheese porridge pie rice jam stew pudding salad toast butter".split(),
    creatures=SMALL.creatures + "hen sheep pig donkey swan crow hare kitten puppy horse".split(),
    hobbies=SMALL.hobbies + ["to play chess", "to collect stones", "to watch birds", "to make jokes",
                             "to ride", "to draw maps", "to look at the moon", "to whistle"],
    weather=SMALL.weather + "stormy cloudy mild hot".split(),
    feelings=SMALL.feelings + "merry pleased content relieved".split(),
    skills=SMALL.skills + "juggle whistle knit row ride".split(),
    fruit="apples pears plums cherries nuts peaches lemons figs".split(),
    openings=SMALL.openings + tales.OPENINGS,
    hobby_lines=SMALL.hobby_lines + tales.HOBBY,
    days=SMALL.days + tales.DAYS,
    later=SMALL.later + tales.LATER,
    asides=SMALL.asides + tales.ASIDES,
    closings=SMALL.closings + tales.CLOSINGS,
    plots=SMALL.plots + tales.PLOTS,
)
