r"""The preamble of report.tex: Debian's texlive-latex-base and lmodern have all of it.

\sgline{indent}{math} sets one line of mathematics; one that our metric took for narrower than it is, is scaled to the
page and named in the log. \sgfit does the same within a line of text.
"""

from __future__ import annotations

TEXT_WIDTH = 41.0
"""Width of the text in em: A4 with margins of 25 mm at 11 pt."""

CODE_COLUMNS = 92
"""Columns of code in \\footnotesize."""

PREAMBLE = r"""\documentclass[11pt,a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{lmodern}
\usepackage{textcomp}
\usepackage{amsmath,amssymb}
\usepackage{longtable}
\usepackage{graphicx}
\usepackage[a4paper,margin=25mm]{geometry}
\usepackage[hidelinks]{hyperref}
\ifdefined\pdfinfoomitdate\pdfinfoomitdate=1 \fi
\ifdefined\pdftrailerid\pdftrailerid{}\fi
\ifdefined\pdfsuppressptexinfo\pdfsuppressptexinfo=15 \fi
\date{}
\providecommand{\texttimes}{\ensuremath{\times}}
\newsavebox{\sgbox}
\newcommand{\sgscaled}[1]{%
  \ifdim\wd\sgbox>#1\typeout{symgrad: a line was scaled}\resizebox{#1}{!}{\usebox{\sgbox}}\else\usebox{\sgbox}\fi}
\newcommand{\sgline}[2]{\par\noindent\hspace*{#1em}\sbox{\sgbox}{$\displaystyle #2$}%
  \sgscaled{\dimexpr\linewidth-#1em\relax}\par}
\newcommand{\sgfit}[1]{\sbox{\sgbox}{#1}\sgscaled{\linewidth}}
\newenvironment{sgmath}{\par\addvspace{5pt}\lineskip=5pt\lineskiplimit=5pt\parskip=0pt}{\par\addvspace{5pt}}
\newenvironment{sgcode}{\par\addvspace{5pt}\footnotesize\ttfamily\parskip=0pt\raggedright}{\par\addvspace{5pt}}
\newcommand{\sgcodeline}[1]{\noindent\mbox{\strut#1}\par}
\newenvironment{sgframe}{\par\addvspace{8pt}\noindent\begin{lrbox}{\sgframebox}%
  \begin{minipage}{\dimexpr\linewidth-2\fboxsep-2\fboxrule\relax}\parskip=0pt\vspace{2pt}}%
  {\vspace{2pt}\end{minipage}\end{lrbox}\fbox{\usebox{\sgframebox}}\par\addvspace{8pt}}
\newsavebox{\sgframebox}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt plus 1pt}
\tolerance=9999 \setlength{\emergencystretch}{12em}
\setlength{\LTleft}{0pt}
\setlength{\LTright}{0pt plus 1fill}
\raggedbottom
"""
