"""What `derive` does for one formula, in a child process: read, derive, show, judge, report, write."""

from __future__ import annotations

from pathlib import Path

from symgrad import limits, staging
from symgrad.child import Send, Work
from symgrad.errors import VerdictError, printable
from symgrad.pipeline import Result, derive, explainer, load, read, read_bytes

from .arguments import Item
from .options import Options

REPORT_SECONDS = 180.0
SWEEP_SECONDS = 4 * 3600.0
VALIDATION, SWEEP, REPORT = "the validation", "the sweep over float32", "the report"


def derivation(item: Item, options: Options) -> Work:
    """The work of `derive` on one formula, as a child does it."""
    return lambda send: _derive(item, options, send)


def display(item: Item, options: Options) -> Work:
    """The work of `show`: the closed form alone."""

    def work(send: Send) -> None:
        result = _closed_forms(item, options, send)
        send({"code": 0, "document": result.document()})

    return work


def _derive(item: Item, options: Options, send: Send) -> None:
    result = _closed_forms(item, options, send)
    target = options.out / result.name
    staging.refuse_foreign(target, force=options.force)
    try:
        result.check_expected()
        with limits.bounded_address_space(options.memory_limit):
            _ = result.package
        _judge(result, options, send)
    except VerdictError as error:
        kept = _keep(result, options, options.keep_failed) if options.keep_failed else None
        send({"code": error.code, "document": result.document(kept), "refuted": str(error)})
        return
    send({"phase": REPORT, "seconds": REPORT_SECONDS})
    notes = _publish(result, options, options.out, options.force)
    send({"note": "\n".join([*notes, f"wrote     {printable(str(target))}/"])})
    send({"code": 0, "document": result.document(str(target))})


def _closed_forms(item: Item, options: Options, send: Send) -> Result:
    """Derive under the limits, and show what came out before anything slow is imported."""
    load()
    with limits.bounded_address_space(options.memory_limit):
        with limits.within(options.time_limit, options.memory_limit):
            formula = read(item.path) if item.path is not None else read_bytes(item.text or b"", item.label)
            observer = explainer(formula, lambda text: send({"text": text}), options.width, options.encoding)
            result = derive(
                formula,
                wrt=options.wrt,
                order=options.order,
                targets=options.target,
                time_limit=options.time_limit,
                memory_limit=options.memory_limit,
                observer=observer if options.explain else None,
                check=False,
                inline=options.inline,
            )
        send({"name": result.name, "text": result.text(options.width, options.encoding)})
    return result


def _judge(result: Result, options: Options, send: Send) -> None:
    """Let the judges look at the kernels; VerdictError where one disagrees."""
    if options.validate:
        send({"phase": VALIDATION, "seconds": limits.VALIDATION_SECONDS})
        result.validate(options.seed)
        send({"text": result.verdict_text(options.width, options.encoding)})
        result.check_verdict()
    if options.exhaustive:
        _sweep(result, send)


def _sweep(result: Result, send: Send) -> None:
    """Try every float32 number, a line for each tenth; VerdictError where the promise is broken."""
    send({"phase": SWEEP, "seconds": SWEEP_SECONDS})
    tenths = iter(range(1, 11))
    following = [next(tenths)]

    def progress(done: float) -> None:
        while following and done >= following[0] / 10:
            send({"note": f"{SWEEP}: {10 * following[0]} %"})
            following[:] = [k for k in (next(tenths, None),) if k is not None]

    send({"text": result.exhaust(progress=progress)})
    result.check_verdict()


def _keep(result: Result, options: Options, folder: Path) -> str:
    _publish(result, options, folder, force=True)
    return str(folder / result.name)


def _publish(result: Result, options: Options, out: Path, force: bool) -> list[str]:
    """Write the package; what could not be made. Whatever is written meanwhile lies in the staging folder too."""
    with staging.staged(out, result.name) as stage:
        with staging.scratch(stage):
            files, notes = result.files(options.report)
        staging.fill(stage, files)
        staging.publish(stage, out / result.name, force)
    return notes
