"""A vector's file, beside the folder of what makes it."""
import os

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def write(name, lines):
    with open(os.path.join(FOLDER, name), "w") as file:
        file.write("\n".join(lines) + "\n")
