"""Byte-pair encoding and WordPiece, each as its paper publishes it. Run: python text.py > text.json

learn_bpe: Sennrich, Haddow and Birch 2016 (arXiv:1508.07909), algorithm 1; ties go to the pair first by code unit.
word_piece: the greedy longest-match search of BERT's tokenization.py (Devlin et al. 2019).
"""
import collections
import json
import random
import re
import sys


def stats(vocab):
    pairs = collections.defaultdict(int)
    for word, freq in vocab.items():
        symbols = word.split()
        for i in range(len(symbols) - 1):
            pairs[symbols[i], symbols[i + 1]] += freq
    return pairs


def merge(pair, vocab):
    bigram = re.escape(" ".join(pair))
    pattern = re.compile(r"(?<!\S)" + bigram + r"(?!\S)")
    return {pattern.sub("".join(pair).replace("\\", "\\\\"), word): freq for word, freq in vocab.items()}


def learn_bpe(counts, merges):
    vocab = {" ".join([*word[:-1], word[-1] + "</w>"]): freq for word, freq in counts.items()}
    learned = []
    for _ in range(merges):
        pairs = stats(vocab)
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], "\n".join(pair).encode("utf-16-be")))
        vocab = merge(best, vocab)
        learned.append(best)
    return learned


def apply_bpe(word, learned):
    held = {" ".join([*word[:-1], word[-1] + "</w>"]): 1}
    for pair in learned:
        held = merge(pair, held)
    return next(iter(held)).split()


def word_piece(word, vocab):
    pieces, start = [], 0
    while start < len(word):
        end = len(word)
        while start < end:
            piece = ("##" if start > 0 else "") + word[start:end]
            if piece in vocab:
                break
            end -= 1
        if start == end:
            return ["[UNK]"]
        pieces.append(piece)
        start = end
    return pieces


rng = random.Random(3)
text = (
    "the patient was seen again the pain in the left knee has lessened and the swelling has gone the patient is walking "
    "without pain she was given the same dose as before nobody knows why the lowest dose works best lower slower newest widest"
).split()
counts = collections.Counter(rng.choices(text, k=400))
counts["süß"] = 3
learned = learn_bpe(counts, 60)
unseen = ["lowering", "patients", "unknown", "süßest", "x", "thethethe"]

vocab = ["[PAD]", "[UNK]", "un", "##aff", "##able", "want", "##want", "##ed", "wa", "runn", "##ing", "##s", ",", "a"]
words = ["unaffable", "wanted", "running", "unwanted", "wants", "wax", "a", ",", "aa", "a" * 101]
json.dump(
    {
        "source": "test/vectors/data/text.py",
        "counts": sorted(counts.items()),
        "merges": learned,
        "segmented": {word: apply_bpe(word, learned) for word in [*sorted(counts), *unseen]},
        "vocabulary": vocab,
        "wordPieces": {word: word_piece(word, vocab) if len(word) <= 100 else ["[UNK]"] for word in words},
    },
    sys.stdout,
)
