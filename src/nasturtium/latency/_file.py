"""The file of a device: what ``nasturtium latency`` writes there and ``search --latency-file`` reads here."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from nasturtium.errors import DataError
from nasturtium.export import session_options
from nasturtium.latency._measure import Timing
from nasturtium.latency._operations import Kernel, Prediction, fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FORMAT = 1


@final
@dataclass(frozen=True)
class LatencyFile:
    """Measurements of one device.

    Args:
        machine: What it is, by name of the fact.
        networks: By name, what the whole network took and its operations.
    """

    machine: Mapping[str, str]
    networks: Mapping[str, tuple[Timing, Sequence[Kernel]]]

    @cached_property
    def prediction(self) -> Prediction:
        """The table by operation that these measurements give."""
        return fit([(measured.median_ms, found) for measured, found in self.networks.values()])

    @cached_property
    def _whole(self) -> dict[tuple[Any, ...], float]:
        return {_signature(found): measured.median_ms for measured, found in self.networks.values()}

    def latency_ms(self, found: Sequence[Kernel]) -> float:
        """Return the milliseconds of a network: as measured if it is one of these, else predicted."""
        return self._whole.get(_signature(found)) or self.prediction.predict(found)


def _signature(found: Sequence[Kernel]) -> tuple[Any, ...]:
    return tuple(sorted(operation.signature for operation in found))


def this_machine() -> dict[str, str]:
    """Return what a latency depends on besides the network."""
    from importlib.metadata import version

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "onnxruntime": version("onnxruntime"),
        "threads": str(session_options().intra_op_num_threads),
    }


def _processor() -> str:
    """Return the processor's name, as Linux tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or "unknown"


def write_file(path: Path, content: LatencyFile) -> None:
    """Write a device's file."""
    networks = {
        name: {**asdict(measured), "operations": [[*o.signature, o.ms] for o in found]}
        for name, (measured, found) in content.networks.items()
    }
    data = {"nasturtium_latency": FORMAT, "machine": dict(content.machine), "networks": networks}
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def read_file(path: Path) -> LatencyFile:
    """Read a device's file.

    Raises:
        DataError: It is none.
    """
    way_out = "write it on the device by `nasturtium latency FOLDER --out FILE.json`."
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        written, machine = data["nasturtium_latency"], data["machine"]
        networks = {name: _network(entry) for name, entry in data["networks"].items()}
    except OSError as error:
        raise DataError(f"a latency file must be readable, got {path} ({error.strerror}); {way_out}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"a latency file is what `nasturtium latency` wrote, got {path}; {way_out}") from error
    if written != FORMAT:
        raise DataError(f"a latency file has format {FORMAT}, got {written}; {way_out}")
    if not networks:
        raise DataError(f"a latency file holds at least one network, got none in {path}; {way_out}")
    return LatencyFile(machine, networks)


def _network(entry: Mapping[str, Any]) -> tuple[Timing, list[Kernel]]:
    measured = Timing(**{name: entry[name] for name in ("median_ms", "low_ms", "high_ms", "runs")})
    return measured, [Kernel(*row) for row in entry["operations"]]
