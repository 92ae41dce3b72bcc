"""Random graphs for tests: every operation, nested and shared graphs, weights, delays."""

from dataclasses import replace

from nasturtium.errors import ShapeError
from nasturtium.graphs import Builder, delayed
from nasturtium.graphs import operations as o

ON_IMAGES = [
    lambda c: o.Conv2d(c, 3),
    lambda c: o.Conv2d(c, (1, 3), bias=True),
    lambda c: o.Conv2d(None, 3, stride=2, groups=0),
    lambda c: o.Conv2d(c, 3, dilation=2),
    lambda c: o.Conv(c, 3),
    lambda c: o.Conv(c, 1, stride=2, preactivated=True),
    lambda c: o.SepConv(c, 3, repeats=2),
    lambda c: o.SepConv(c, 5, dilation=2, preactivated=True),
    lambda c: o.FactorizedConv(c, 3, stride=2),
    lambda c: o.Reduce(c),
    lambda c: o.Residual(c),
    lambda c: o.Residual(c, stride=2),
    lambda c: o.MaxPool(3, 2),
    lambda c: o.MaxPool(2, 1),
    lambda c: o.AvgPool(3, 1),
    lambda c: o.Scale(),
]
ANYWHERE = [
    lambda c: o.BatchNorm(),
    lambda c: o.Activation("relu"),
    lambda c: o.Activation("tanh"),
    lambda c: o.Activation("gelu"),
    lambda c: o.Identity(),
    lambda c: o.Zero(),
    lambda c: o.Dropout(0.2),
]
ON_FEATURES = [lambda c: o.Linear(c), lambda c: o.Linear(c, bias=False)]
MERGING = [o.Add, o.Multiply, o.Concat]


class _Random:
    """Builds one level; ``values`` are the wires so far with their shapes."""

    def __init__(self, rng, shapes, depth, is_recurrent):
        self.rng, self.depth, self.is_recurrent = rng, depth, is_recurrent
        self.b = Builder()
        self.values = [(self.b.input(f"in_{i}", s), s) for i, s in enumerate(shapes)]
        self.sums = []
        self.nested = {}

    def pick(self, items):
        return items[int(self.rng.integers(len(items)))]

    def weighted(self, wire):
        if self.rng.random() < 0.2:
            weight = float(self.rng.normal())
            return tuple(replace(edge, weight=weight) for edge in wire)
        return wire

    def add(self, name):
        kind = self.rng.random()
        if kind < 0.25:
            self.merge(name)
        elif kind < 0.4 and self.depth:
            self.nest(name)
        else:
            wire, shape = self.pick(self.values)
            operations = ANYWHERE + (ON_IMAGES if len(shape) == 3 else ON_FEATURES)
            if len(shape) == 3 and kind > 0.95:
                op = o.GlobalPool()
            elif len(shape) == 3 and kind > 0.93:
                op = o.Flatten()
            else:
                op = self.fitting(operations, shape)
            self.values.append((self.b.add(name, op, self.weighted(wire)), op.shape(shape)))

    def fitting(self, operations, shape):
        op = self.pick(operations)(int(self.rng.integers(1, 5)))
        try:
            op.shape(shape)
        except ShapeError:  # such as a window larger than the image
            return o.Identity()
        return op

    def merge(self, name):
        wire, shape = self.pick(self.values)
        wires = [wire] + [w for w, s in self.values if s == shape and self.rng.random() < 0.5]
        op = self.pick(MERGING)()
        result = self.b.add(name, op, *map(self.weighted, wires))
        if not isinstance(op, o.Concat):
            self.sums.append((name, shape))
        self.values.append((result, op.shape(*[shape] * len(wires))))

    def nest(self, name):
        wires, shapes = zip(*[self.pick(self.values) for _ in range(self.rng.integers(1, 3))], strict=True)
        if shapes not in self.nested or self.rng.random() < 0.3:
            inner = _Random(self.rng, [None] * len(shapes), self.depth - 1, self.is_recurrent)
            inner.values = [(w, s) for (w, _), s in zip(inner.values, shapes, strict=True)]
            self.nested[shapes] = inner.finished(4)
        graph = self.nested[shapes]
        node = self.b.add(name, graph, *wires)
        # Every second output is read by its name, the first one also without.
        for i, (output, shape) in enumerate(zip(graph.outputs, graph.infer(*shapes).outputs, strict=True)):
            wire = tuple(replace(e, output=output if i or self.rng.random() < 0.5 else None) for e in node)
            self.values.append((wire, shape))

    def finished(self, n_nodes):
        for i in range(n_nodes):
            self.add(f"n{i}")
        if self.is_recurrent:
            self.delay()
        ends = [self.pick(self.values)[0] for _ in range(int(self.rng.integers(1, 4)))]
        return self.b.graph(*(self.b.add(f"out_{i}", o.Identity(), w) for i, w in enumerate(ends)))

    def delay(self):
        wire, shape = self.pick(self.values)
        name, found = self.pick(self.sums) if self.sums else ("sum", shape)
        if not self.sums:
            self.values.append((self.b.add(name, o.Add(), wire), shape))
        sources = [w for w, s in self.values if s == found]
        self.b.extend(name, self.weighted(delayed(self.pick(sources))))


def random_graph(rng, *, n_nodes=10, depth=2, is_recurrent=False, shapes=((3, 8, 8),)):
    """Return a closed graph with declared input shapes."""
    return _Random(rng, shapes, depth, is_recurrent).finished(n_nodes)
