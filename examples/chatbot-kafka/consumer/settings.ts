export const usage = `node consumer.mjs    answers the questions of a Kafka topic; everything is set by the environment

  KAFKA_BOOTSTRAP_SERVERS  host:port with commas between (127.0.0.1:9092)
  CONSUMER_GROUP           (chatbot)
  QUESTIONS_TOPIC          read (questions)
  ANSWERS_TOPIC            written (answers)
  ANSWERER                 llm: a server with OpenAI's API; echo: repeats the question, for tests and for machines
                           without a model (llm)
  CHAT_URL                 of the server or of Ebb's gateway (http://127.0.0.1:8080)
  CHAT_MODEL               (smollm2-135m-instruct)
  MAX_TOKENS               longest answer (96)
  SYSTEM_PROMPT            what the model is told about its role
  ECHO_DELAY_MS            how long an echo takes (200)
  PORT                     of /healthz and /readyz on 127.0.0.1 (8080)
`;

/** The environment says something that cannot be used. */
export class SettingsError extends Error {}

export interface Settings {
  readonly name: string;
  readonly port: number;
  readonly bootstrapServers: readonly string[];
  readonly group: string;
  readonly questionsTopic: string;
  readonly answersTopic: string;
  readonly answerer: 'llm' | 'echo';
  readonly chatUrl: URL;
  readonly model: string;
  readonly maxTokens: number;
  readonly systemPrompt: string;
  readonly echoDelayMs: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws `SettingsError`. */
export function readSettings(environment: Environment): Settings {
  const text = (name: string, otherwise: string) => environment[name] || otherwise;
  const count = (name: string, otherwise: number, least: number, most: number) => {
    const found = text(name, String(otherwise));
    const value = Number(found);
    if (/^\d+$/.test(found) && value >= least && value <= most) return value;
    throw new SettingsError(`${name} must be a whole number from ${least} to ${most}, found "${found}"`);
  };
  const answerer = text('ANSWERER', 'llm');
  if (answerer !== 'llm' && answerer !== 'echo') {
    throw new SettingsError(`ANSWERER must be llm or echo, found "${answerer}"`);
  }
  const chatUrl = text('CHAT_URL', 'http://127.0.0.1:8080');
  if (!URL.canParse(chatUrl)) throw new SettingsError(`CHAT_URL must be a URL, found "${chatUrl}"`);
  return {
    name: text('EBB_REPLICA', `chatbot-${process.pid}`),
    port: count('PORT', 8080, 0, 65_535),
    bootstrapServers: text('KAFKA_BOOTSTRAP_SERVERS', '127.0.0.1:9092').split(','),
    group: text('CONSUMER_GROUP', 'chatbot'),
    questionsTopic: text('QUESTIONS_TOPIC', 'questions'),
    answersTopic: text('ANSWERS_TOPIC', 'answers'),
    answerer,
    chatUrl: new URL(chatUrl),
    model: text('CHAT_MODEL', 'smollm2-135m-instruct'),
    maxTokens: count('MAX_TOKENS', 96, 1, 100_000),
    systemPrompt: text('SYSTEM_PROMPT', 'You are a helpful assistant. Answer in one or two short sentences.'),
    echoDelayMs: count('ECHO_DELAY_MS', 200, 0, 600_000),
  };
}
