"""Serves ONNX graphs with KServe's Python server, for TestRealServers: NAME=FILE. A name that ends in -jpeg takes its picture as a JPEG."""
import argparse
import io

import kserve
import numpy
import onnxruntime
from kserve import InferOutput, InferResponse, Model, ModelServer
from PIL import Image

DATATYPES = {"tensor(float)": "FP32", "tensor(int64)": "INT64", "tensor(int32)": "INT32"}


def describe(ports):
    return [
        {"name": p.name, "datatype": DATATYPES[p.type], "shape": [d if isinstance(d, int) else -1 for d in p.shape]}
        for p in ports
    ]


class Graph(Model):
    def __init__(self, name, path):
        super().__init__(name)
        self.jpeg = name.endswith("-jpeg")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.ready = True

    async def get_input_types(self):
        if self.jpeg:
            return [{"name": "image", "datatype": "UINT8", "shape": [-1]}]
        return describe(self.session.get_inputs())

    async def get_output_types(self):
        return describe(self.session.get_outputs())

    def predict(self, request, headers=None, response_headers=None):
        if self.jpeg:
            file = request.inputs[0].as_numpy().tobytes()
            pixels = numpy.asarray(Image.open(io.BytesIO(file)).convert("RGB"), numpy.float32)
            inputs = {"image": pixels.transpose(2, 0, 1)[None]}  # the default model normalises by itself
        else:
            inputs = {i.name: i.as_numpy() for i in request.inputs}
        names = [o.name for o in request.request_outputs or self.session.get_outputs()]
        outputs = []
        for name, value in zip(names, self.session.run(names, inputs)):
            output = InferOutput(name=name, shape=list(value.shape), datatype="FP32")
            output.set_data_from_numpy(value, binary_data=True)
            outputs.append(output)
        return InferResponse(
            response_id="0", model_name=self.name, infer_outputs=outputs,
            requested_outputs=request.request_outputs, use_binary_outputs=True,
        )


parser = argparse.ArgumentParser(parents=[kserve.model_server.parser], conflict_handler="resolve")
parser.add_argument("graphs", nargs="+")
args = parser.parse_args()
ModelServer(http_port=args.http_port, grpc_port=args.grpc_port, workers=1).start([Graph(*g.split("=", 1)) for g in args.graphs])
