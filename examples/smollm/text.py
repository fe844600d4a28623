"""Text to token ids and back, with the vocabulary that the GGUF file carries.

python text.py MODEL.gguf encode [--chat] "What is a roof tile?"     prints 1,9690,198,...
python text.py MODEL.gguf decode 1,9690,198                          prints the text
"""

import argparse

from gguf import GGUFReader
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

CONTROL = 3  # ggml's token type of control tokens


def tokenizer(path: str) -> Tokenizer:
    fields = GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(m.split(" ", 1)) for m in fields["tokenizer.ggml.merges"].contents()]
    result = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges, fuse_unk=False))
    # The model's own pre-tokenizer: single digits, then GPT-2's rules on bytes.
    result.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(r"\d"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    result.decoder = decoders.ByteLevel()
    result.add_special_tokens([AddedToken(t, special=True, normalized=False) for t, k in zip(tokens, types, strict=True) if k == CONTROL])
    return result


def chat(prompt: str) -> str:
    """The model's chat template for one user message."""
    system = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
    return f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("what", choices=["encode", "decode"])
    parser.add_argument("input")
    parser.add_argument("--chat", action="store_true", help="wrap the input in the model's chat template")
    arguments = parser.parse_args()
    vocabulary = tokenizer(arguments.model)
    if arguments.what == "encode":
        text = chat(arguments.input) if arguments.chat else arguments.input
        print(",".join(map(str, vocabulary.encode(text, add_special_tokens=False).ids)))
    else:
        print(vocabulary.decode([int(t) for t in arguments.input.split(",")], skip_special_tokens=False))


if __name__ == "__main__":
    main()
