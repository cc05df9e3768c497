// A test for `promtool test rules` from two scrapes of the real program: what counts goes on to grow, minute after minute, by
// what it grew between the two, and what measures stays as it was at the second.

/** Minutes that the test lasts: longer than each alert waits. */
const MINUTES = 120
const DAY = 86_400
/** Labels that Prometheus gives to all that it scrapes. */
const TARGET = 'job="proxyprotocol",instance="relay:10009"'
/** Of those labels that alerts have, the ones that tell one from another. */
const BY = 'alertname, route, upstream, reason, role'
/** A busy machine raises these two by itself; alerts.test.yml tests them. */
const LOAD = 'ProxyprotocolEventLoopLate|ProxyprotocolConnectSlow'

export interface Scrapes {
  /** The file of the rules, beside that of the test. */
  readonly rules: string
  readonly before: string
  readonly after: string
  /** Labels of the alerts that must fire, and no others. */
  readonly firing: readonly Readonly<Record<string, string>>[]
  /** Sets the clock of the test so many days before the first certificate expires; otherwise it is that of now. */
  readonly daysLeft?: number
}

interface Sample {
  readonly series: string
  readonly value: number
}

/** The content of the file, for a YAML reader. */
export function ruleTest({ rules, before, after, firing, daysLeft }: Scrapes): object {
  const first = new Map(samplesOf(before).map(({ series, value }) => [series, value]))
  const [counting, samples] = [countingOf(after), samplesOf(after)]
  const clock = clockOf(samples, daysLeft)
  const scraped = samples.map(({ series, value }) => {
    const name = nameOf(series)
    const growth = counting.has(name) ? value - (first.get(series) ?? 0) : 0
    const start = name.endsWith('_timestamp_seconds') ? value - clock : value
    return { series: withTarget(series), values: `${start.toFixed(6)}+${growth.toFixed(6)}x${MINUTES}` }
  })
  const firingNow = {
    expr: `count by (${BY}) (ALERTS{alertstate="firing",alertname!~"${LOAD}"})`,
    eval_time: `${MINUTES}m`,
    exp_samples: firing.map(labels => ({ labels: textOf(labels), value: 1 })),
  }
  return {
    rule_files: [rules],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: [{ series: `up{${TARGET}}`, values: `1x${MINUTES}` }, ...scraped],
        promql_expr_test: [firingNow],
      },
    ],
  }
}

/** Seconds since 1970 at which the test begins, which for promtool is 0. */
function clockOf(samples: readonly Sample[], daysLeft: number | undefined): number {
  if (daysLeft === undefined) return Date.now() / 1_000
  const expiries = samples.filter(({ series }) => nameOf(series).includes('certificate_expiry'))
  return Math.min(...expiries.map(({ value }) => value)) - daysLeft * DAY
}

function samplesOf(text: string): readonly Sample[] {
  const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return lines.map(line => {
    const end = line.lastIndexOf(' ')
    return { series: line.slice(0, end), value: Number(line.slice(end)) }
  })
}

/** Names of series that only grow. */
function countingOf(text: string): ReadonlySet<string> {
  const types = [...text.matchAll(/^# TYPE (\S+) (counter|histogram)$/gm)]
  return new Set(
    types.flatMap(([, name = '', type]) =>
      type === 'counter' ? [name] : [`${name}_bucket`, `${name}_sum`, `${name}_count`],
    ),
  )
}

function nameOf(series: string): string {
  return series.replace(/\{.*/s, '')
}

function withTarget(series: string): string {
  return series.includes('{') ? series.replace('{', `{${TARGET},`) : `${series}{${TARGET}}`
}

function textOf(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(', ')}}`
}
