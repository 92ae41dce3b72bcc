"""The laws of every contract, for our own classes and for everybody else's."""
