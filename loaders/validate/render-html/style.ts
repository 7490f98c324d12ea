/** The page's style. Colours repeat what words and signs say; each text has a contrast of at least 4.5 to 1. */
export const style = `
:root {
  --page: #fbfbf9; --card: #fff; --text: #1c2126; --quiet: #5a636d; --line: #dcdfe3; --track: #eceef0;
  --pass: #17633a; --pass-back: #e4f2e9; --fail: #a1211b; --fail-back: #fbe9e7; --skip: #6a5300; --skip-back: #f6efd8;
  --sqlite: #737e8a; --timescale: #2a62b8; --mark: #ffe3a3; --mark-line: #9a5b00;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1b1f23; --text: #e6e9ec; --quiet: #a0a9b3; --line: #343a41; --track: #272c32;
    --pass: #7fd3a0; --pass-back: #18321f; --fail: #ff9d94; --fail-back: #401d1a; --skip: #e2c76a; --skip-back: #352c10;
    --sqlite: #8f9aa6; --timescale: #6ea3f0; --mark: #5a4300; --mark-line: #f0c050;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; font-weight: 650; margin: .4rem 0 1.4rem; max-width: 46rem; overflow-wrap: anywhere; text-wrap: balance; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 3rem 0 .8rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .5rem; overflow-wrap: anywhere; }
p { max-width: 42rem; margin: 0 0 1rem; }
.quiet, .kind { color: var(--quiet); font-weight: 400; }
.kind { margin: 0; display: flex; gap: .6rem; align-items: center; flex-wrap: wrap; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
header { border-top: .3rem solid var(--pass); padding-top: 1.2rem; }
header.fail { border-color: var(--fail); }
.badge { display: inline-block; font-size: .8rem; font-weight: 650; line-height: 1.5; padding: 0 .5em; border-radius: .3em; white-space: nowrap; }
.badge.pass { color: var(--pass); background: var(--pass-back); }
.badge.fail { color: var(--fail); background: var(--fail-back); }
.badge.skip { color: var(--skip); background: var(--skip-back); }
dl, dd, dt { margin: 0; }
dt { color: var(--quiet); font-size: .85rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 1rem 2rem; }
.facts > div { overflow-wrap: anywhere; }
.facts ul { margin: 0; padding: 0; list-style: none; font-size: .9rem; color: var(--quiet); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { font-size: .85rem; font-weight: 500; color: var(--quiet); vertical-align: bottom; overflow-wrap: normal; }
tbody th { font-weight: 500; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.stacked .number { white-space: nowrap; }
.stacked thead .number { white-space: normal; }
.bad { color: var(--fail); font-weight: 650; }
.value { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.word { font-family: system-ui, sans-serif; color: var(--quiet); }
mark .word { color: inherit; }
mark { background: var(--mark); color: inherit; text-decoration: underline 2px var(--mark-line); text-underline-offset: .15em; border-radius: .15em; }
.difference { background: var(--card); border: 1px solid var(--line); border-left: .25rem solid var(--fail); border-radius: .25rem; }
.failures { table-layout: fixed; }
.failures th:first-child { width: 34%; }
.note { margin: .25rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere; color: var(--quiet); font: .9rem/1.5 system-ui, sans-serif; max-width: none; }
.difference { border-collapse: separate; border-spacing: 0; table-layout: fixed; margin: 0 0 1rem; }
.difference caption { text-align: left; padding: .2rem 0 .4rem; overflow-wrap: anywhere; }
.difference th:first-child { padding-left: .8rem; width: 24%; }
.difference td:last-child, .difference th:last-child { padding-right: .8rem; }
.difference tr:last-child > * { border-bottom: 0; }
.difference thead tr:last-child > * { border-bottom: 1px solid var(--line); }
.side { display: none; }
details { margin: 0 0 1rem; }
summary { cursor: pointer; padding: .3rem 0; }
summary h3 { display: inline; }
.checks td:first-child { width: 5rem; }
.checks th { width: 30%; }
.checks td:last-child { width: 5rem; white-space: nowrap; color: var(--quiet); }
.checks .note { margin: 0; font-size: .85rem; }
.plot { margin-top: 1.2rem; }
.query { margin-bottom: 1.1rem; break-inside: avoid; }
.query h3 { margin: 0 0 .25rem; }
.bar, .axis { display: grid; grid-template-columns: 7rem minmax(0, 1fr) 5.5rem; gap: .8rem; align-items: center; font-size: .9rem; }
.bar svg { display: block; width: 100%; height: .9rem; }
.bar > span { overflow-wrap: anywhere; }
.load .bar, .load .axis { grid-template-columns: 10rem minmax(0, 1fr) 8rem; }
.load .bar { padding: .25rem 0; break-inside: avoid; }
.load .number .quiet { display: block; }
.load .bar svg { height: 2.4rem; }
svg .track { fill: var(--track); }
svg.sqlite rect:not(.track) { fill: var(--sqlite); }
svg.timescale rect:not(.track) { fill: var(--timescale); }
.axis { color: var(--quiet); font-size: .8rem; }
.axis > div { position: relative; height: 1.6rem; border-top: 1px solid var(--line); }
.tick { position: absolute; top: .2rem; transform: translateX(-50%); white-space: nowrap; }
.tick.first { transform: none; }
.tick.last { transform: translateX(-100%); }
:focus-visible { outline: 2px solid var(--timescale); outline-offset: 2px; }
@media (max-width: 42rem) {
  main { padding: 1.2rem 1rem 3rem; }
  h1 { font-size: 1.4rem; }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: .8rem 1rem; }
  .facts > div:last-child:nth-child(odd) { grid-column: 1 / -1; }
  .stacked thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stacked tr { display: grid; grid-template-columns: 1fr 1fr; gap: .1rem 1rem; padding: .7rem 0; border-bottom: 1px solid var(--line); }
  .stacked th, .stacked td { border: 0; padding: 0; text-align: left; }
  .stacked td:nth-child(2) { text-align: right; }
  .stacked td.number { display: flex; flex-direction: column; }
  .stacked td.number::before { content: attr(data-head); color: var(--quiet); font-size: .8rem; font-weight: 400; }
  .difference thead, .failures thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .difference tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0 .8rem; padding: .5rem .8rem; border-bottom: 1px solid var(--line); }
  .difference tr:last-child { border-bottom: 0; }
  .difference tbody th, .difference tbody td { border: 0; padding: 0 !important; width: auto !important; display: block; }
  .difference.changed tbody th { grid-column: 1 / -1; }
  .side { display: block; font: .8rem system-ui, sans-serif; color: var(--quiet); }
  .failures tr { display: block; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  .failures tbody th, .failures td { display: block; border: 0; padding: 0; width: auto !important; }
  .failures td { display: grid; grid-template-columns: 5rem minmax(0, 1fr); }
  .failures td::before { content: attr(data-head); font: .8rem/1.6 system-ui, sans-serif; color: var(--quiet); }
  .failures .note { grid-column: 2; }
  .checks tr { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr); padding: .5rem 0; border-bottom: 1px solid var(--line); }
  .checks td, .checks th { border: 0; padding: 0; width: auto !important; }
  .checks td:nth-child(3) { grid-column: 2; }
  .checks td:last-child { display: none; }
  .bar { grid-template-columns: 6.2rem minmax(0, 1fr) 4.2rem; gap: .5rem; }
  .axis { grid-template-columns: 6.2rem minmax(0, 1fr) 4.2rem; gap: .5rem; }
  .load .bar, .load .axis { grid-template-columns: minmax(0, 1fr); gap: .1rem; }
  .load .axis > span { display: none; }
  .load .bar .number { text-align: left; }
  .load .number .quiet { display: inline; }
  .tick.spare { visibility: hidden; }
}
@media print {
  body { background: #fff; font-size: 10pt; }
  main { max-width: none; padding: 0; }
  h2, h3, caption { break-after: avoid; }
  tr, .difference { break-inside: avoid; }
  .badge, svg, mark { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
