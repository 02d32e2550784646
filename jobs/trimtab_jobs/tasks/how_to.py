"""What to write where a task lacks something."""

from collections.abc import Mapping

HOW_TO: Mapping[str, str] = {
    "build": (
        "    def build(self, params):\n"
        "        width = params.get('width', 64)\n"
        "        return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))"
    ),
    "splits": (
        "    def splits(self):\n"
        "        train, validation, test = ...  # torch Datasets of pairs (input, target)\n"
        "        return {'train': train, 'validation': validation, 'test': test}"
    ),
    "train": (
        "    def train(self, model, params, context):\n"
        "        for epoch in context.epochs():\n"
        "            ...; context.report(epoch, accuracy=accuracy)  # one pass over the data"
    ),
    "evaluate": (
        "    def evaluate(self, predict, split):\n"
        "        inputs, labels = ...  # arrays of the split: train, validation or test\n"
        "        return {'correct': predict(inputs).argmax(1) == labels}"
    ),
    "inputs": (
        "    def inputs(self, count):\n"
        "        # for export and calibration: one array per input of the model\n"
        "        return (self.train_inputs[:count],)"
    ),
    "metrics": "    metrics = {'accuracy': lambda rows: rows['correct'].mean()}",
}
"""By name of a method or attribute, as it stands in a class."""
