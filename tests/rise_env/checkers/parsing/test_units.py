import pytest

from rise_env.checkers import check_answer, equivalent
from rise_env.checkers.parsing.units import read_unit
from rise_env.checkers.policy import Policy

UNIT_OR_NONE = [
    (r"5\sqrt{2}", r"5\sqrt{2}\text{ m}"),
    (r"5\sqrt{2}", r"5\sqrt2\,\mathrm{m}"),
    (r"12\pi", r"12\pi\text{ m}"),
    (r"12\pi", r"12\pi\ \mathrm{m}^2"),
    (r"e^2", r"e^{2}\text{ s}"),
    (r"3\times10^{8}", r"3\times10^{8}\ \mathrm{N}"),
    (r"3\times10^{8}", r"3\times 10^{8}\ \mathrm{m/s}"),
    (r"\frac{3}{4}", r"\frac{3}{4}\text{ h}"),
    (r"\frac{3}{4}", r"\frac34\ \mathrm{A}"),
    (r"(1+\sqrt{3})", r"(1+\sqrt{3})\text{ m}"),
    (r"2^{10}", r"2^{10}\text{ s}"),
    ("5", r"5\ \Omega"),
    ("5", "5 Ω"),
    ("5", r"5\text{ k}\Omega"),
    ("5", r"5\ \mathrm{k\Omega}"),
    ("5", r"5\ \mathrm{\mu F}"),
    ("5", r"5\ \mu\text{F}"),
    ("5", r"5\,\mu\mathrm{m}"),
    ("5", "5 μF"),
    ("5", "5 µm"),
    ("4.5", r"4.5\text{ erg/s}"),
    ("4.5", r"4.5\ \mathrm{g/mol}"),
    ("4.5", r"4.5\ \mathrm{g}/\mathrm{mol}"),
    ("4.5", r"4.5\ \mathrm{J/(kg\cdot K)}"),
    ("4.5", r"4.5 \mathrm{~J} /(\mathrm{mol} \cdot \mathrm{K})"),
    ("4.5", r"4.5\,\frac{\text{m}}{\text{s}^2}"),
    ("4.5", r"4.5\ \text{\AA}"),
    ("4.5", "4.5 ₽"),
    ("4.5", r"4.5\ \mathrm{kg\cdot m/s^2}"),
    ("4.5", r"4.5\ \mathrm{kg}\cdot\mathrm{m}\cdot\mathrm{s}^{-2}"),
    ("4.5", r"4.5\text{ beats/minute}"),
    ("4.5", r"4.5\text{ widgets per worker}"),
    ("4.5", r"4.5\text{ mol L}^{-1}"),
    ("4.5", "4.5 mol/L"),
    ("4.5", r"4.5\text{ eV}"),
    ("4.5", r"4.5~\mathrm{nm}"),
    ("4.5", r"4.5\text{ furlongs}"),
    ("5", "5 ㎡"),
]


@pytest.mark.parametrize(("reference", "answer"), UNIT_OR_NONE, ids=[answer for _, answer in UNIT_OR_NONE])
def test_a_unit_may_be_added_behind_any_value(reference: str, answer: str) -> None:
    assert check_answer(rf"\boxed{{{answer}}}", reference).correct
    assert check_answer(rf"\boxed{{{reference}}}", answer).correct


SAME_UNIT = [
    (r"5\text{ N}", r"5\ \mathrm{kg\cdot m/s^2}"),
    (r"5\text{ J}", r"5\ \mathrm{N\cdot m}"),
    (r"5\text{ kPa}", r"5000\text{ N/m}^2"),
    (r"5\ \mu\text{m}", r"0.005\text{ mm}"),
    (r"5\ \mathrm{\mu F}", r"5000\text{ nF}"),
    (r"5\text{ k}\Omega", r"5000\ \Omega"),
    (r"2\text{ kWh}", r"7.2\text{ MJ}"),
    (r"1\text{ L}", r"1000\text{ cm}^3"),
    (r"2\text{ g/L}", r"2\text{ kg/m}^3"),
    (r"5\sqrt{2}\text{ m}", r"500\sqrt{2}\text{ cm}"),
    (r"4\text{ apples}", "4 apples"),
    (r"4\text{ dollars per ticket}", r"\$4"),
    ("42元", r"42\text{ yuan}"),
    (r"2nm", r"2\text{ nm}"),
    (r"5\text{ m}^2", "5 m^2"),
    ("5 ㎡", "5 m^2"),
    ("2mn", "2nm"),
]


@pytest.mark.parametrize(("reference", "answer"), SAME_UNIT, ids=[f"{a} = {b}" for a, b in SAME_UNIT])
def test_known_units_are_converted(reference: str, answer: str) -> None:
    assert equivalent(answer, reference).correct


OTHER_UNIT = [
    (r"5\sqrt{2}\text{ m}", r"5\sqrt{2}\text{ cm}"),
    (r"5\sqrt{2}\text{ m}", r"5\sqrt{2}\text{ s}"),
    (r"5\text{ erg/s}", r"5\text{ erg}"),
    (r"5\text{ g/mol}", r"5\text{ g/L}"),
    (r"5\ \Omega", r"5\text{ V}"),
    (r"5\ \Omega", r"5\text{ k}\Omega"),
    (r"5\ \mathrm{\mu F}", r"5\text{ nF}"),
    (r"5\text{ furlongs}", r"5\text{ fathoms}"),
    (r"5\text{ beats/minute}", r"5\text{ breaths/minute}"),
    (r"12\text{小时}", r"12\text{分钟}"),
    ("12 рублей", "12 яблок"),
    ("5", r"5\text{m}+x"),
    (r"5m", r"5\text{ s}"),
    (r"\frac{1}{2}mv^2", r"\frac{1}{2}\mathrm{m}"),
    ("5", r"5\text{ or more}"),
    ("5", "5 oder mehr"),
    ("5", r"5\text{ ou plus}"),
]


@pytest.mark.parametrize(("reference", "answer"), OTHER_UNIT, ids=[f"{a} or {b}" for a, b in OTHER_UNIT])
def test_two_units_must_agree(reference: str, answer: str) -> None:
    assert not equivalent(answer, reference).correct


LETTERS = [
    (r"\frac{1}{2}mv^2", r"\frac{1}{2}\mathrm{m}\mathrm{v}^2"),
    (r"2m", r"2\mathrm{m}"),
    (r"2\mu m g", r"2 m g\mu"),
    (r"x^2+C", r"x^2+\mathrm{C}"),
    (r"2nm", "2mn"),
    (r"3\Omega x", r"3x\Omega"),
]


@pytest.mark.parametrize(("reference", "answer"), LETTERS, ids=[answer for _, answer in LETTERS])
def test_a_letter_of_a_formula_stays_a_variable(reference: str, answer: str) -> None:
    assert equivalent(answer, reference).correct


def test_a_policy_may_ask_for_units() -> None:
    assert not equivalent(r"5\sqrt{2}", r"5\sqrt{2}\text{ m}", policy=Policy(units="required")).correct
    assert equivalent(r"5\sqrt{2}\text{ s}", r"5\sqrt{2}\text{ m}", policy=Policy(units="ignored")).correct


@pytest.mark.parametrize("phrase", ["pm", "us", "cd", "as"])
def test_a_word_is_no_prefixed_unit(phrase: str) -> None:
    unit = read_unit(phrase)
    assert unit is None or all(name.startswith("#") for name, _ in unit.dimension)
