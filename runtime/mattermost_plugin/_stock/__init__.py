"""The wire of stock servers: go-plugin's net/rpc flavour, with yamux below and gob inside."""
