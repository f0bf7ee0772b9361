/** The span of a journal that a command looks at. */
export const sinceFlag = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'TIME',
  brief: 'From then on: how long ago (90s, 5m, 2h), time of today (14:03:07), or ISO date and time',
} as const;

export const untilFlag = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'TIME',
  brief: 'Until then (default: the end)',
} as const;
