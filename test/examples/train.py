"""A training loop in miniature: says which GPUs it was given, then prints a line a step.

Needs the standard library only; with PyTorch installed it trains a small model, on the GPUs if torch sees any.
Usage: train.py [STEPS]
"""

import os
import random
import sys
import time


def describe():
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    job = os.environ.get("SLURM_JOB_ID", "none")
    node = os.environ.get("SLURMD_NODENAME", "this machine")
    count = len(gpus.split(",")) if gpus else 0
    print(f"job {job} on {node}: {count} GPU{'' if count == 1 else 's'} (CUDA_VISIBLE_DEVICES={gpus})")


def torch_steps(torch, steps):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    print(f"torch {torch.__version__} on {device}, {torch.cuda.device_count()} CUDA devices")
    model = torch.nn.Linear(32, 1).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(steps):
        inputs = torch.randn(64, 32, device=device)
        loss = ((model(inputs) - inputs.sum(1, keepdim=True)) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def plain_steps(steps):
    """Fits y = 3x + 1 by gradient descent."""
    generator = random.Random(1)
    slope = offset = 0.0
    for _ in range(steps):
        points = [(x, 3 * x + 1) for x in (generator.uniform(-1, 1) for _ in range(64))]
        errors = [(slope * x + offset - y, x) for x, y in points]
        slope -= 0.5 * sum(error * x for error, x in errors) / 64
        offset -= 0.5 * sum(error for error, _ in errors) / 64
        yield sum(error * error for error, _ in errors) / 64


def main():
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    describe()
    try:
        import torch
    except ImportError:
        losses = plain_steps(steps)
    else:
        losses = torch_steps(torch, steps)
    for step, loss in enumerate(losses, 1):
        print(f"step {step}/{steps}  loss {loss:.4f}")
        time.sleep(0.2)
    print("done")


if __name__ == "__main__":
    main()
