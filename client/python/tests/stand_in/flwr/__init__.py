"""A stand-in of the part of Flower that the adapters meet, where it is missing, by its documented interface.

https://flower.ai/docs/framework/ref-api/: flwr.client.NumPyClient, flwr.app.Message, flwr.clientapp.ClientApp
"""
