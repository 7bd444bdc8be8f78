import pytest

from rise_env.checkers import check_answer, final_answer
from rise_env.types import Verdict

ANNOUNCED = {
    "to the question": "The answer to the question is 42.",
    "to this problem": "So the answer to this problem is **42**.",
    "for part (a)": "The answer for part (a) is $42$.",
    "we look for": "The answer we are looking for is 42.",
    "that we want": "The final answer that we want is therefore 42.",
    "in dollars, between commas": "The answer, in dollars, is 42.",
    "unit in brackets": "Answer (in cm): 42",
    "number of the question": "Answer to question 3: 42",
    "equals": "The answer equals 42.",
    "turns out": "The answer turns out to be 42.",
    "must be": "So the answer must be 42.",
    "Ans": "Ans: 42",
    "Ans with a point": "Ans. 42",
    "ANS = ": "ANS = 42",
    "bold heading": "**Final Answer**\n\n42",
    "bold heading with colon inside": "**Final Answer:**\n42",
    "numbered heading": "## 4. Final Answer\n\n**42**",
    "heading and sentence": "### Final Answer\nThe total is 42.",
    "TeX bold": "\\textbf{Answer:} 42",
    "TeX bold, colon outside": "\\textbf{Final answer}: $42$",
    "underscores": "__Answer: 42__",
    "dash": "Final answer – 42",
    "code": "Answer: `42`",
    "Spanish": "La respuesta es 42.",
    "Spanish, final": "La respuesta final es: 42",
    "Spanish, long": "La respuesta a la pregunta es 42.",
    "French": "La réponse est 42.",
    "French, bold": "**Réponse finale : 42**",
    "French, long": "La réponse à la question est 42.",
    "German": "Die Antwort ist 42.",
    "German, lautet": "Die Antwort lautet: 42",
    "German, long": "Die Antwort auf die Frage lautet 42.",
    "German, Ergebnis": "**Endergebnis:** 42",
    "Portuguese": "A resposta é 42.",
    "Portuguese, colon": "Resposta final: 42",
    "Italian": "La risposta è 42.",
    "Italian, colon": "Risposta finale: 42",
    "Dutch": "Het antwoord is 42.",
    "Polish": "Odpowiedź: 42",
    "Czech": "Odpověď: 42",
    "Turkish": "Cevap: 42",
    "Vietnamese": "Câu trả lời là 42.",
    "Vietnamese, dap an": "Đáp án: 42",
    "Indonesian": "Jawabannya adalah 42.",
    "Swahili": "Jibu: 42",
    "Russian": "Ответ: 42",
    "Russian, dash": "Ответ — 42.",
    "Russian, long": "Ответ на задачу: 42",
    "Arabic": "الإجابة هي 42",
    "Hindi": "उत्तर: 42",
    "Bengali": "উত্তর: 42",
    "Telugu": "సమాధానం: 42",
    "Thai": "คำตอบคือ 42",
    "Chinese": "答案是42。",
    "Chinese, final": "所以最终答案为：42",
    "Chinese, answer": "答：42",
    "Chinese, brackets": "【答案】42",
    "Japanese": "答えは42です。",
    "Japanese, correct": "正解は 42 です",
    "Japanese, colon": "答え：42",
    "Korean": "답은 42입니다.",
    "Korean, colon": "정답: 42",
}


@pytest.mark.parametrize("reply", ANNOUNCED.values(), ids=ANNOUNCED)
def test_an_announced_answer_counts(reply: str) -> None:
    for kind in ("numeric", "symbolic"):
        assert check_answer(reply, "42", kind=kind).verdict is Verdict.CORRECT  # type: ignore[arg-type]


REFUSED = {
    "not": "The answer is not 42.",
    "not, long": "The answer to the problem is not 42.",
    "isn't": "The answer isn't 42.",
    "do not think": "I don't think the answer is 42.",
    "not sure that": "I am not sure that the answer is 42.",
    "doubt": "I doubt the answer is 42.",
    "if it were": "If the answer were 42, then x would be negative.",
    "if it is": "If the answer is 42 then x is negative.",
    "suppose": "Suppose the answer is 42.",
    "assume that": "Let us assume that the answer is 42",
    "whether": "Let me check whether the answer is 42.",
    "wrong answer": "A common wrong answer is 42.",
    "incorrect answer": "Incorrect answer: 42",
    "false that": "It is false that the answer is 42.",
    "taken back": "The student's answer is 42, which is wrong.",
    "Chinese, about": "答案是大约42。",
    "Japanese, about": "答えは約42です。",
    "question": "So the answer is 42?",
    "German": "Die Antwort ist nicht 42.",
    "Chinese": "答案不是42。",
    "Japanese": "答えは42ではありません。",
    "Korean": "정답은 42가 아닙니다.",
    "Turkish": "Cevap: 42 değil",
    "Hindi": "उत्तर: 42 नहीं है",
}


@pytest.mark.parametrize("reply", REFUSED.values(), ids=REFUSED)
def test_a_refused_or_hypothetical_answer_states_nothing(reply: str) -> None:
    for kind in ("numeric", "symbolic"):
        assert check_answer(reply, "42", kind=kind).verdict is not Verdict.CORRECT  # type: ignore[arg-type]


def test_a_hypothesis_does_not_replace_the_answer_before_it() -> None:
    assert final_answer("The answer is 42. Suppose the answer is 43: then x < 0.") == "42"
    assert final_answer("It is not B, the answer is D") == "D"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("The answer is 42. No wait, it's 43.", "43"),
        (r"The answer is 42. Wait, no, it is $\frac{1}{2}$. I forgot one.", r"$\frac{1}{2}$"),
        ("#### 42\nScratch that, it should be 43", "43"),
        ("The answer is 42. On second thought, the answer is 43.", "43"),
        ("The answer is 42. No wait, let me check that.", None),
        ("The answer is 42. No wait, it is 43 or 44.", None),
        ("The answer is 41. No wait, that was wrong. The answer is 42.", "42"),
        ("No wait, we forgot one. So the answer is 42.", "42"),
    ],
)
def test_a_statement_that_is_taken_back_is_replaced_by_the_value_that_follows(
    reply: str, answer: str | None
) -> None:
    assert final_answer(reply) == answer


CHOSEN = {
    "correct option": "The correct option is C) 90",
    "correct choice": "The correct choice is (C).",
    "best option": "The best option is **C**.",
    "colon": "Correct option: C",
    "answer choice": "The correct answer choice is C.",
    "option first": "Therefore, option C is correct.",
    "option first, bold": "**Option C** is the correct answer.",
    "letter first": "(C) is the correct answer.",
    "choose": "I would choose C.",
    "go with": "I'll go with option (C).",
    "think": "Answer: I think it is C",
    "no, comma": "No, option C is the best answer.",
    "other taken back": "Option B is correct. Wait, no, option C is correct.",
    "box with text": r"\boxed{C - growth}",
    "box with a long dash": r"\boxed{\text{C — growth}}",
    "box with colon": r"\boxed{\text{C: growth}}",
    "box with brackets": r"\boxed{C (growth)}",
    "Chinese": "故选C",
    "Chinese, colon": "所以选：C。",
    "Chinese, brackets": "【答案】C",
    "Chinese, wide brackets": "所以正确答案是（C）。",
    "Spanish, article": "La respuesta correcta es la C.",
    "nothing but a choice": "Option C",
    "Chinese, is": "正确答案是C。",
    "Japanese": "正解はCです。",
    "Korean": "정답은 C입니다.",
}


@pytest.mark.parametrize("reply", CHOSEN.values(), ids=CHOSEN)
def test_a_chosen_letter_counts(reply: str) -> None:
    assert check_answer(reply, "C", kind="choice").verdict is Verdict.CORRECT
    assert check_answer(reply, "B", kind="choice").verdict is Verdict.WRONG


NOT_CHOSEN = {
    "incorrect": "Option C is incorrect.",
    "not correct": "Option C is not correct.",
    "not think": "I do not think option C is correct.",
    "if": "If option C is correct, then x = 2.",
    "two at once": "Option B is correct and option C is correct.",
    "no": "No option C is the best answer.",
    "no, letter first": "Not C is the correct answer.",
    "two in a box": r"\boxed{B - growth, C - decay}",
    "taken back": "Option C is correct. No wait, it's B.",
    "or": "The correct option is B or C.",
}


@pytest.mark.parametrize("reply", NOT_CHOSEN.values(), ids=NOT_CHOSEN)
def test_a_letter_that_is_not_chosen_does_not_count(reply: str) -> None:
    assert check_answer(reply, "C", kind="choice").verdict is not Verdict.CORRECT


def test_a_difference_is_no_choice_for_the_symbolic_checker() -> None:
    assert not check_answer(r"\boxed{E - x}", "E").correct
