"""Sentence bench of PyTorch: the SNLI network, eager.

    python torch_snli.py

Its conversation is that of snli_steps.py.
"""

from snli_steps import CLASSES, HIDDEN, L2, RATE, UNITS, VECTOR, WORDS, answer, batches, say


def main():
    try:
        import torch
    except ImportError:
        return say(peer="torch", missing="pip install torch")
    nn = torch.nn
    data = [[torch.from_numpy(part) for part in batch] for batch in batches()]

    class Network(nn.Module):
        def __init__(self, activation):
            super().__init__()
            self.f = {"relu": nn.ReLU, "selu": nn.SELU}[activation]()
            self.embed = nn.Embedding(WORDS, VECTOR)
            self.embed.weight.requires_grad_(False)
            self.translate = nn.Linear(VECTOR, UNITS)
            self.norms = nn.ModuleList([nn.BatchNorm1d(UNITS, eps=1e-3, momentum=0.01) for _ in range(2)])
            self.hidden = nn.ModuleList([nn.Linear(2 * UNITS if i == 0 else HIDDEN, HIDDEN) for i in range(3)])
            self.hidden_norms = nn.ModuleList([nn.BatchNorm1d(HIDDEN, eps=1e-3, momentum=0.01) for _ in range(3)])
            self.drop = nn.Dropout(RATE)
            self.out = nn.Linear(HIDDEN, CLASSES)

        def forward(self, *sentences):
            sides = [norm(self.f(self.translate(self.embed(x))).sum(1)) for x, norm in zip(sentences, self.norms)]
            joint = self.drop(torch.cat(sides, 1))
            for layer, norm in zip(self.hidden, self.hidden_norms):
                joint = norm(self.drop(self.f(layer(joint))))
            return self.out(joint)

    def steps_of(activation):
        model = Network(activation)
        weights = [layer.weight for layer in model.hidden]
        parameters = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.RMSprop(parameters, lr=0.001, alpha=0.9, eps=1e-7)

        def step(i):
            *sentences, labels = data[i]
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(*sentences), labels.long())
            (loss + L2 * sum((w * w).sum() for w in weights)).backward()
            optimizer.step()
            return loss.item()

        return step

    say(peer="torch", version=torch.__version__, ready=True)
    answer(steps_of)


if __name__ == "__main__":
    main()
