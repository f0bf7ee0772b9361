import { readMomentUs, readNumber, readWhole, requireColumns, splitHeader, splitRow } from '../fields.ts';
import type { RequestLayout, RowReader } from '../layout.ts';

interface RowColumns {
  title: string;
  header: string;
  at: string;
  /** Seconds from the start, or moments of which the first is the start. */
  time: 'seconds' | 'moment';
  input: string;
  output: string;
  /** Column with the workload's name; null: one workload. */
  workload: string | null;
}

/** One request a row, in order of arrival. More columns than these may be there, in any order. */
function requestRows({ title, header, at, time, input, output, workload }: RowColumns): RequestLayout {
  const needed = [at, input, output, ...(workload === null ? [] : [workload])];
  return {
    title,
    header,
    arrivals: 'recorded',
    hasTokens: true,
    recognises: (firstLine) => {
      const names = splitHeader(firstLine);
      return needed.every((name) => names.includes(name));
    },
    read: (firstLine, sink) => {
      const columns = splitHeader(firstLine);
      const index = (name: string) => columns.indexOf(name);
      const [atIndex, inputIndex, outputIndex] = [index(at), index(input), index(output)];
      const workloadIndex = workload === null ? -1 : index(workload);
      const only = workload === null ? sink.workload('') : 0;
      let originUs: number | null = null;
      const readAt = (text: string | undefined) => {
        if (time === 'seconds') return Math.round(readNumber(at, text) * 1e6);
        const us = readMomentUs(at, text);
        originUs ??= us;
        return us - originUs;
      };
      return rows(columns, (fields) => {
        const row = workloadIndex < 0 ? only : sink.workload(fields[workloadIndex]?.trim() ?? '');
        sink.add(
          readAt(fields[atIndex]),
          row,
          readWhole(input, fields[inputIndex]),
          readWhole(output, fields[outputIndex]),
        );
      });
    },
  };
}

function rows(columns: readonly string[], take: (fields: string[]) => void): RowReader {
  let isHeader = true;
  return {
    line: (text) => {
      if (isHeader) {
        isHeader = false;
        return;
      }
      const fields = splitRow(text);
      requireColumns(columns, fields);
      take(fields);
    },
    end: () => {},
  };
}

export const arrivalRows = requestRows({
  title: 'requests with tokens',
  header: 'arrival_s,input_tokens,output_tokens',
  at: 'arrival_s',
  time: 'seconds',
  input: 'input_tokens',
  output: 'output_tokens',
  workload: null,
});

/** Azure/AzurePublicDataset, AzureLLMInferenceTrace_*.csv of 2023 and 2024. */
export const azureLlm = requestRows({
  title: 'Azure LLM inference',
  header: 'TIMESTAMP,ContextTokens,GeneratedTokens',
  at: 'TIMESTAMP',
  time: 'moment',
  input: 'ContextTokens',
  output: 'GeneratedTokens',
  workload: null,
});

/** HPMLL/BurstGPT. Failed requests are those with 0 response tokens; they arrived and are kept. Models are the workloads. */
export const burstGpt = requestRows({
  title: 'BurstGPT',
  header: 'Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type',
  at: 'Timestamp',
  time: 'seconds',
  input: 'Request tokens',
  output: 'Response tokens',
  workload: 'Model',
});
