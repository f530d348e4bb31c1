"""`python serve.py MODEL`: llama.cpp on a free port of loopback, until standard input ends. Prints its address."""

import sys

import xllamacpp  # pyright: ignore[reportMissingImports]

LONGEST_ANSWER_TOKENS = 64
CONTEXT_TOKENS = 2_048

parameters = xllamacpp.CommonParams()
parameters.model.path = sys.argv[1]
parameters.model_alias = {"smollm2"}
parameters.hostnames = ["127.0.0.1"]
parameters.port = 0
parameters.offline = True
parameters.ui = False
parameters.n_ctx = CONTEXT_TOKENS
parameters.n_parallel = 1
parameters.n_predict = LONGEST_ANSWER_TOKENS
# Always the likeliest word, and nothing kept of the question before: the same question has the same answer.
parameters.sampling.temp = 0.0
parameters.cache_prompt = False

server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
sys.stdin.read()
