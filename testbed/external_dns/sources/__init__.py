"""Kubernetes objects become endpoints."""
