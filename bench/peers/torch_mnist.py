"""Training bench of PyTorch: the MNIST network, eager, batches gathered from tensors in memory (faster than a DataLoader).

    python torch_mnist.py --data DIR [--images N] [--device cpu|cuda] [--channels-last]

Its conversation is that of mnist_training.py. Which layout is faster depends on the machine, so both are measured.
"""

import math
import time

from mnist_training import BATCH, VALIDATION_SPLIT, arguments, images_and_labels, say, told_to_train

# A normal distribution cut at two standard deviations has this one; Keras divides by it.
TRUNCATED_DEVIATION = 0.87962566103423978


def network(torch):
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ELU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Conv2d(32, 64, 3),
        nn.ELU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(1600, 256),
        nn.ELU(),
        nn.Linear(256, 10),
    )
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(parameter)
            continue
        deviation = math.sqrt(2 / parameter[0].numel()) / TRUNCATED_DEVIATION
        nn.init.trunc_normal_(parameter, 0, deviation, -2 * deviation, 2 * deviation)
    return model


def train_epoch(torch, model, optimizer, images, labels):
    """Gives the mean loss, summed on the device: reading it at every step would make a GPU wait."""
    model.train()
    total = torch.zeros((), device=images.device)
    for batch in torch.randperm(len(images), device=images.device).split(BATCH):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(batch)
    return total.item() / len(images)


def accuracy(torch, model, images, labels):
    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(1) == y).sum() for x, y in zip(images.split(BATCH), labels.split(BATCH)))
    return right.item() / len(images)


def main():
    options = arguments(__doc__.split("\n")[0], **{"channels-last": {"action": "store_true"}})
    peer = "torch-channels-last" if options.channels_last else "torch"
    try:
        import torch
    except ImportError:
        return say(peer=peer, missing="pip install torch")
    if options.device == "cuda" and not torch.cuda.is_available():
        return say(peer=peer, missing="a CUDA build of PyTorch and a driver: see pytorch.org/get-started")
    torch.manual_seed(0)
    images, labels = (torch.from_numpy(array).to(options.device) for array in images_and_labels(options.data, options.images))
    # One channel: [n, 28, 28, 1] and [n, 1, 28, 28] are the same memory, of either layout.
    images = images.permute(0, 3, 1, 2)
    split = len(images) - round(len(images) * VALIDATION_SPLIT)
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    model = network(torch).to(options.device, memory_format=layout)
    optimizer = torch.optim.Adam(model.parameters(), eps=1e-7)
    say(peer=peer, version=torch.__version__, ready=True)
    while told_to_train():
        start = time.perf_counter()
        loss = train_epoch(torch, model, optimizer, images[:split], labels[:split])
        seconds = time.perf_counter() - start
        say(seconds=seconds, loss=loss, accuracy=accuracy(torch, model, images[split:], labels[split:]))


if __name__ == "__main__":
    main()
