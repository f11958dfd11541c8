"""`python -m gateway`: the same as `offhook`."""

from gateway.cli.main import run

if __name__ == "__main__":
    run()
