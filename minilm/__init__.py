"""minilm: small models, good data. A course in notebooks, and the small module that they build up to.

Read the files in this order, which is the order of the chapters: config, corpora, tokenizer, data, attention, model, loss,
optim, checkpoint, train, generate, evaluate. Importing `minilm` itself imports none of them.
"""

__version__ = "0.1.0"
