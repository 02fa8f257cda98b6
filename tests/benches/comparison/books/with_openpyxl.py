"""Reads every cell of a workbook's first sheet, and says how many there were."""

import sys

import openpyxl

book = openpyxl.load_workbook(sys.argv[1], read_only=True, data_only=True)
cells = 0
for row in book.worksheets[0].iter_rows(values_only=True):
    cells += len(row)
print(cells, "openpyxl", openpyxl.__version__)
