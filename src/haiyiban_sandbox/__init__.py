"""The outside world in one small app, for the demo and the tests.

Registers, SMS gateway and face-check vendor as the platform meets them in production: over HTTP, sometimes
slow, failing or answering nonsense. Never imported by the platform; README.md here lists the endpoints.
"""
