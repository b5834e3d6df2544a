const OF_OTHER_PART = /^\.\.\/(\w+)\/([\w-]+\.js)$/;

export function resolve(specifier, context, next) {
  const [, part, file] = OF_OTHER_PART.exec(specifier) ?? [];
  return next(part ? new URL(`../../../${part}/static/${part}/${file}`, context.parentURL).href : specifier, context);
}
