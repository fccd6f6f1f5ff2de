"""Sentinel: an agent that stands beside a service and says, in words people can act on, when it is not well."""

__version__ = "0.1.0"
