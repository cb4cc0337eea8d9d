#include "daemon/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>
#include "daemon/log.h"

int homer_user_find(const char *name, uid_t *uid, gid_t *gid, struct homer_error *err) {
    *uid = geteuid();
    *gid = getegid();
    if (!name) return 0;
    errno = 0;
    const struct passwd *p = getpwnam(name);
    if (!p)
        return homer_err_set(err, HOMER_E_BAD_REQUEST, "user: there is no user \"%.60s\"%s%s", name,
                             errno ? ": " : "", errno ? strerror(errno) : "");
    *uid = p->pw_uid;
    *gid = p->pw_gid;
    return 0;
}

int homer_user_become(const char *name, struct homer_error *err) {
    uid_t uid, real, effective, saved;
    gid_t gid;
    int code = homer_user_find(name, &uid, &gid, err);
    if (code) return code;
    if (geteuid() == uid) return 0;
    if (geteuid() != 0)
        return homer_err_set(err, HOMER_E_BAD_REQUEST,
                             "user: only root can become \"%.60s\"; start homerd as root or as that user",
                             name);
    if (initgroups(name, gid) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
        return homer_err_set(err, -errno, "user: cannot become \"%.60s\": %s", name, strerror(errno));
    if (getresuid(&real, &effective, &saved) || real != uid || effective != uid || saved != uid ||
        getegid() != gid || (uid != 0 && setuid(0) == 0))
        return homer_err_set(err, -EPERM, "user: still not \"%.60s\" after becoming it", name);
    homer_log(HOMER_LOG_INFO, "main", "user", "name=%s", name);
    return 0;
}
