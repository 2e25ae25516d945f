"""What torch sees of its job's GPUs; where there are none that it can use, the same work on the CPU."""

import os

try:
    import torch
except ImportError:
    raise SystemExit("torch is not installed here: nothing to look at")

print("CUDA_VISIBLE_DEVICES =", os.environ.get("CUDA_VISIBLE_DEVICES"))
count = torch.cuda.device_count() if torch.cuda.is_available() else 0
for index in range(count):
    print(f"GPU {index}: {torch.cuda.get_device_name(index)}")
device = torch.device("cuda:0" if count else "cpu")
model = torch.nn.Linear(64, 1).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
inputs = torch.randn(256, 64, device=device)
targets = inputs.sum(dim=1, keepdim=True)
first = last = None
for _ in range(50):
    loss = torch.nn.functional.mse_loss(model(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    first, last = first or loss.item(), loss.item()
print(f"trained on {device}: the loss fell from {first:.2f} to {last:.2f}")
raise SystemExit(0 if last < first else 1)
