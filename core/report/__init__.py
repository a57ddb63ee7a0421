"""A report on one file that can be filed and sent: HTML or PDF, in four languages."""

from core.report.content import Content, gather
from core.report.reporter import Reporter
from core.report.write import SUFFIXES, report_bytes, write_report

__all__ = ["SUFFIXES", "Content", "Reporter", "gather", "report_bytes", "write_report"]
