import io

from rich.console import Console

from nasturtium.report import FinalResults, front_table


def shown(table, width=80):
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()


def test_the_front_is_printed_with_its_test_errors(studies):
    study = studies(objectives=["valid_error", "params"])
    study.end(valid_error=0.125, params=1234.0)
    final = FinalResults(
        trial=0, key="k", folder="trial-0", params=1234, flops=2, epochs=40, valid_error=0.125,
        test_error=0.05, n_test=1000, weights="final",
    )  # fmt: skip
    text = shown(front_table(study.history, final=[final]))
    for part in ("12.50 %", "1,234", "5.00 %", "3.81–6.53 %", "final"):
        assert part in text
    assert "95 % interval" in text  # nothing is folded at the usual width


def test_without_final_training_the_front_is_that_of_the_search(studies):
    study = studies()
    study.end(valid_error=0.125)
    text = shown(front_table(study.history))
    assert "12.50 %" in text
    assert "test error" not in text


def test_names_are_no_markup(studies):
    study = studies(objectives=["[bold]x[/bold]"])
    study.end(**{"[bold]x[/bold]": 1.0})
    assert "[bold]x[/bold]" in shown(front_table(study.history))


def test_an_empty_front_says_so(studies):
    text = shown(front_table(studies().history))
    assert "No trial has finished within the limits." in " ".join(text.split())


def test_a_long_front_is_cut(studies):
    study = studies(objectives=["valid_error", "params"])
    for i in range(25):
        study.end(valid_error=i / 100, params=100.0 - i)
    text = shown(front_table(study.history))
    assert "the first 20 of 25" in text
    assert len([line for line in text.splitlines() if "%" in line]) == 20
