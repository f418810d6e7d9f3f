"""The Lambda that delivers webhooks to tenants' servers: signed, retried, and never to internal addresses."""
