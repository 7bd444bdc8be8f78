r"""Eight worked problems in the style of GSM8K, for the preset "gsm8k_8shot".

The form is that of Wei et al. 2022 (arXiv:2201.11903, appendix G): a few sentences of reasoning, then "The
answer is N.". The problems are our own, so that none of them is in a test set.
"""

EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        "A bakery has 26 rolls in the morning and bakes 14 more. How many rolls are there then?",
        "There are 26 rolls at first. The bakery bakes 14 more, so there are 26 + 14 = 40 rolls. "
        "The answer is 40.",
    ),
    (
        "Nadia had 52 beads and used 19 of them for a bracelet. How many beads are left?",
        "Nadia started with 52 beads and used 19. So 52 - 19 = 33 beads are left. The answer is 33.",
    ),
    (
        "A school orders 7 boxes of chalk with 12 sticks each, and 9 of them break. How many are whole?",
        "7 boxes of 12 sticks are 7 * 12 = 84 sticks. 9 of them break, so 84 - 9 = 75 are whole. "
        "The answer is 75.",
    ),
    (
        "Tickets cost 8 dollars each. Omar buys 5 of them and pays with a 50 dollar note. "
        "How much change does he get?",
        "5 tickets cost 5 * 8 = 40 dollars. He pays 50 dollars, so he gets 50 - 40 = 10 dollars back. "
        "The answer is 10.",
    ),
    (
        "A train has 6 carriages with 45 seats each. Two thirds of the seats are taken. How many are taken?",
        "The train has 6 * 45 = 270 seats. Two thirds of them are 270 / 3 * 2 = 180. The answer is 180.",
    ),
    (
        "On Monday Ines read 18 pages. On Tuesday she read twice as many, and on Wednesday 11 fewer than on "
        "Tuesday. How many pages did she read in the three days?",
        "On Tuesday she read 2 * 18 = 36 pages, and on Wednesday 36 - 11 = 25. In all she read "
        "18 + 36 + 25 = 79 pages. The answer is 79.",
    ),
    (
        "A tank holds 96 litres and loses 4 litres an hour. After 9 hours 15 litres are poured in. "
        "How many litres are in it then, if it was full at first?",
        "In 9 hours the tank loses 9 * 4 = 36 litres, so 96 - 36 = 60 litres are left. "
        "With 15 litres more there are 60 + 15 = 75. The answer is 75.",
    ),
    (
        "Four friends share 3 pizzas that are cut into 8 slices each. How many slices does each friend get?",
        "3 pizzas of 8 slices are 3 * 8 = 24 slices. Each of the 4 friends gets 24 / 4 = 6 slices. "
        "The answer is 6.",
    ),
)
"""(question, answer) pairs."""
