/** The outcome of reading a piece of text: a value, or what is wrong with it and the nearest text that is right. */
export type Parsed<T> = { value: T } | { error: string; suggestion?: string };
