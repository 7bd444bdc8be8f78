r"""Four worked problems in the style of MATH, for the preset "minerva_4shot".

The form is that of Lewkowycz et al. 2022 (arXiv:2206.14858, appendix D.2): a solution that ends with "Final
Answer: The final answer is $N$. I hope it is correct.". The problems are our own, so that none of them is in
a test set.
"""

EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        r"Expand the product $(x+3)(2x-5)$.",
        r"Multiplying each term by each other gives $2x^2 - 5x + 6x - 15 = 2x^2 + x - 15$."
        "\nFinal Answer: The final answer is $2x^2+x-15$. I hope it is correct.",
    ),
    (
        "Two fair dice are rolled. What is the probability that the sum is 9?",
        r"The sum is 9 for $(3,6)$, $(4,5)$, $(5,4)$ and $(6,3)$, which are 4 of 36 equally likely rolls. "
        r"The probability is $\frac{4}{36} = \frac{1}{9}$."
        "\nFinal Answer: The final answer is $\\frac{1}{9}$. I hope it is correct.",
    ),
    (
        "A rope of 30 metres is cut into two pieces. One piece is 6 metres longer than the other. "
        "How long is the shorter piece, in metres?",
        "Let the shorter piece have the length $s$. Then $s + (s + 6) = 30$, so $2s = 24$ and $s = 12$."
        "\nFinal Answer: The final answer is $12$. I hope it is correct.",
    ),
    (
        r"What is the area of a sector of $72^\circ$ in a circle of radius 5?",
        r"The sector is $\frac{72}{360} = \frac{1}{5}$ of the circle, whose area is $25\pi$. "
        r"So its area is $5\pi$."
        "\nFinal Answer: The final answer is $5\\pi$. I hope it is correct.",
    ),
)
"""(question, answer) pairs."""
