"""Overhead per step against arithmetic, from a sweep over sizes."""
