import torch

from cases import Cases, grid

cases = Cases(__file__)

for name, a, b, batch in [
    ("two vectors", (3,), (3,), False),
    ("a vector by a matrix", (3,), (3, 4), False),
    ("a matrix by a vector", (2, 3), (3,), True),
    ("a vector by a batch", (3,), (2, 3, 4), False),
    ("a batch by a vector", (2, 4, 3), (3,), True),
    ("a batch by a weight", (2, 5, 3), (3, 4), True),
    ("four axes by a weight", (2, 2, 5, 3), (3, 4), True),
    ("stretched batches", (2, 1, 5, 3), (4, 3, 2), True),
    ("one inner element", (2, 1), (1, 3), True),
    ("no rows", (0, 3), (3, 2), False),
]:
    cases.add("MatMul", name, [grid(*a), grid(*b)], torch.matmul, batch=batch)

for equation, shapes in [
    ("ij,jk->ik", [(2, 3), (3, 4)]),
    ("bij,bkj->bik", [(2, 3, 4), (2, 5, 4)]),
    ("bqhd,bkhd->bhqk", [(2, 3, 2, 4), (2, 5, 2, 4)]),
    ("i,j->ji", [(3,), (4,)]),
    ("ij,ij->", [(2, 3), (2, 3)]),
    ("ijk,kl->il", [(2, 3, 4), (4, 5)]),  # j is summed in one operand alone
    ("ij,k->ik", [(2, 3), (4,)]),
    ("ij->ji", [(2, 3)]),
    ("ij->i", [(2, 3)]),
    ("ij,jk", [(2, 3), (3, 4)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
]:
    cases.add("Einsum", equation, [grid(*shape) for shape in shapes], lambda *x: torch.einsum(equation, *x), {"equation": equation})
cases.add("Einsum", "a batch by a weight", [grid(2, 3, 4), grid(4, 5)], lambda x, w: torch.einsum("bij,jk->bik", x, w), {"equation": "bij, jk -> bik"}, batch=True)
cases.write()
