/*
 * Fuzzes what a login opens as its policy image: the stamp, and the store that is read behind it.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The input is a list of (position, byte): three bytes of position, one of content, written over a
 * good image. The file stays the one that its stamp names, so that what is wrong is found by the
 * readers, not by the look at the file. Whatever is left over makes the file so much shorter.
 */
#include <cortexauth/decision.h>
#include <cortexauth/identity.h>
#include <cortexauth/settings.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LATER INT64_C(9000000000) /* the sources have settled by then */
#define ROOM 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char entities[] =
    "[{\"uid\":{\"type\":\"Service\",\"id\":\"s\"},\"attrs\":{\"database\":\"d\",\"environment\":"
    "\"e\",\"host\":\"h\",\"port\":5433,\"grants\":{\"read\":[\"reader\"]}},\"parents\":[]},"
    "{\"uid\":{\"type\":\"Group\",\"id\":\"backend\"},\"attrs\":{},"
    "\"parents\":[{\"type\":\"Group\",\"id\":\"engineers\"}]}]";

static const char policies[] =
    "@id(\"p\") @reason(\"engineers read\") @max_session(\"8h\")\n"
    "permit (principal in Group::\"engineers\", action == Action::\"read\", resource)\n"
    "when { resource.port == 5433 && !context.mfa };\n"
    "forbid (principal, action == Action::\"admin\", resource) unless { context.mfa };\n";

static const char config[] = "[oidc \"a\"]\nissuer = https://op.example\naudience = db\n"
                             "[policy]\npath = p\nentities = entities.json\nimage = image\n";

/* A good image and where it lies. */
static struct {
  char folder[32];
  char path[64];
  struct cortex_settings *settings;
  struct cortex_identity *who;
  struct timespec times[2];
  char bytes[ROOM];
  size_t len;
} world;

static void put_file(const char *name, const char *text) {
  char path[64];
  FILE *file;

  snprintf(path, sizeof path, "%s/%s", world.folder, name);
  file = fopen(path, "we");
  if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
    abort();
}

static void remove_world(void) {
  static const char *const names[] = {"image", "entities.json", "p/a.cedar", "p", ""};
  char path[64];
  size_t i;

  for (i = 0; i < sizeof names / sizeof names[0]; i++) {
    snprintf(path, sizeof path, "%s/%s", world.folder, names[i]);
    remove(path);
  }
  cortex_settings_free(&world.settings);
  cortex_identity_free(&world.who);
}

static void make_world(void) {
  const char *group = "backend";
  char path[64];
  struct stat status;
  bool is_early;
  FILE *file;

  strcpy(world.folder, "/tmp/cortex-fuzz-XXXXXX");
  if (mkdtemp(world.folder) == NULL)
    abort();
  atexit(remove_world);
  snprintf(path, sizeof path, "%s/p", world.folder);
  if (mkdir(path, 0700) != 0)
    abort();
  put_file("p/a.cedar", policies);
  put_file("entities.json", entities);
  snprintf(path, sizeof path, "%s/cortex.conf", world.folder);
  snprintf(world.path, sizeof world.path, "%s/image", world.folder);
  if (cortex_settings_parse(path, config, strlen(config), &world.settings, NULL) != CORTEX_OK ||
      cortex_identity_claim("alice", &group, 1, &world.who, NULL) != CORTEX_OK ||
      cortex_policy_write_image(world.settings, LATER, &is_early, NULL) != CORTEX_OK)
    abort();
  file = fopen(world.path, "rbe");
  if (file == NULL || fstat(fileno(file), &status) != 0)
    abort();
  world.times[0] = world.times[1] = status.st_mtim;
  world.len = fread(world.bytes, 1, sizeof world.bytes, file);
  fclose(file);
}

static void write_over(const char *bytes, size_t len) {
  int fd = open(world.path, O_WRONLY | O_CLOEXEC);

  if (fd < 0 || pwrite(fd, bytes, len, 0) != (ssize_t)len || ftruncate(fd, (off_t)len) != 0 ||
      futimens(fd, world.times) != 0)
    abort();
  close(fd);
}

/* All that programs ask of a loaded policy; what comes out may be anything. */
static void ask(const struct cortex_policy *policy) {
  struct cortex_question question = {.service = "s", .now = INT64_C(1800000000000000)};
  struct cortex_decision *decision = NULL;
  struct cortex_service service;
  char *text = NULL;
  size_t i;

  question.identity = world.who;
  if (cortex_decide(policy, &question, &decision, NULL) == CORTEX_OK &&
      cortex_decision_levels(decision) == 0)
    abort();
  cortex_decision_free(&decision);
  if (cortex_explain(policy, &question, &text, NULL) == CORTEX_OK)
    free(text);
  for (i = 0; i < cortex_policy_service_count(policy) && i < 8; i++)
    if (cortex_policy_service(policy, i, &service) && service.name[0] == '\0')
      abort();
  for (i = 0; i < 8 && cortex_policy_grant(policy, "s", CORTEX_LEVEL_READ, i) != NULL; i++)
    ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cortex_policy *policy = NULL;
  char bytes[ROOM];
  size_t i, cut = size % 4 == 0 ? 0 : data[size - 1];

  if (world.len == 0)
    make_world();
  memcpy(bytes, world.bytes, world.len);
  for (i = 0; i + 4 <= size; i += 4)
    bytes[((size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2]) % world.len] =
        (char)data[i + 3];
  write_over(bytes, world.len - cut);
  if (cortex_policy_load(world.settings, &policy, NULL) == CORTEX_OK) {
    ask(policy);
    if (cortex_policy_make_whole(policy, NULL) == CORTEX_OK)
      ask(policy);
  }
  cortex_policy_free(&policy);
  return cortex_policy_check_image(world.settings, NULL) == CORTEX_IMAGE_ABSENT ? -1 : 0;
}
