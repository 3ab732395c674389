"""A training as a folder: plan, resume, documents, figures."""
