"""Serves an ONNX graph with MLServer, for TestRealServers."""
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse, MetadataModelResponse, MetadataTensor

DATATYPES = {"tensor(float)": "FP32", "tensor(int64)": "INT64", "tensor(int32)": "INT32"}


def describe(ports):
    return [
        MetadataTensor(name=p.name, datatype=DATATYPES[p.type], shape=[d if isinstance(d, int) else -1 for d in p.shape])
        for p in ports
    ]


class Graph(MLModel):
    async def load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.settings.parameters.uri, options, providers=["CPUExecutionProvider"])
        return True

    async def metadata(self):
        return MetadataModelResponse(
            name=self.name, platform="", inputs=describe(self.session.get_inputs()), outputs=describe(self.session.get_outputs())
        )

    async def predict(self, payload):
        inputs = {i.name: NumpyCodec.decode_input(i) for i in payload.inputs}
        names = [o.name for o in payload.outputs or self.session.get_outputs()]
        values = self.session.run(names, inputs)
        return InferenceResponse(
            model_name=self.name, outputs=[NumpyCodec.encode_output(name=n, payload=v) for n, v in zip(names, values)]
        )
