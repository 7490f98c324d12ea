import { confirm, isCancel, multiselect, password, select, text } from "@clack/prompts";
import { TimeliftError } from "../../loaders/timelift-error.ts";

/** Says what is wrong with an answer; undefined where nothing is. */
export type Refuse = (answer: string) => string | undefined;

/** The questions of `timelift stack new`, put to whoever sits there. */
export interface Questions {
  choose<Value extends string>(
    message: string,
    options: Record<Value, string>,
    preset: Value,
  ): Promise<Value>;
  several<Value extends string>(message: string, options: Record<Value, string>): Promise<Value[]>;
  line(message: string, preset: string, refuse: Refuse): Promise<string>;
  secret(message: string, refuse: Refuse): Promise<string>;
  agree(message: string, preset: boolean): Promise<boolean>;
}

/** Takes what a question proposes, where nobody is asked. */
export const presets: Questions = {
  choose: async (_message, _options, preset) => preset,
  several: async () => [],
  line: async (_message, preset) => preset,
  secret: async () => "",
  agree: async (_message, preset) => preset,
};

/**
 * Asks on the terminal.
 * @throws TimeliftError `stack-cancelled` when somebody leaves
 */
export const terminal: Questions = {
  choose: async <Value extends string>(message: string, options: Record<Value, string>, preset: Value) =>
    answered(await select<string>({ message, initialValue: preset, options: optionsOf(options) })) as Value,
  several: async <Value extends string>(message: string, options: Record<Value, string>) =>
    answered(await multiselect<string>({ message, required: false, options: optionsOf(options) })) as Value[],
  line: async (message, preset, refuse) =>
    answered(
      await text({
        ...{ message, defaultValue: preset, placeholder: preset },
        validate: (answer) => refuse(answer || preset),
      }),
    ),
  secret: async (message, refuse) =>
    answered(await password({ message, validate: (answer) => refuse(answer ?? "") })) ?? "",
  agree: async (message, preset) => answered(await confirm({ message, initialValue: preset })),
};

const optionsOf = (options: Record<string, string>) =>
  Object.entries(options).map(([value, hint]) => ({ value, label: value, hint }));

function answered<Answer>(answer: Answer): Exclude<Answer, symbol> {
  if (!isCancel(answer)) return answer as Exclude<Answer, symbol>;
  throw new TimeliftError({
    code: "stack-cancelled",
    subject: "timelift stack new",
    problem: "it was cancelled, and nothing was written",
    remedy: "run it again; an option answers its question beforehand (--help)",
  });
}
