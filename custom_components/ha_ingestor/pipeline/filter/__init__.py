"""The filters, between intake and encoder."""
