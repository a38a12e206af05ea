"""nuages: any Django project from manage.py to production Kubernetes, and every release one you can trust."""

__version__ = "0.2.0"
