/* SPDX-License-Identifier: MIT */
/* uevents PREFIX SECONDS: prints where and which variable, for each variable of an event so named. */
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	char text[8192];
	ssize_t n;

	if (argc != 3 || fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror("uevents");
		return 1;
	}
	alarm((unsigned int)atoi(argv[2]));
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = 0;
		for (char *p = text; p < text + n; p += strlen(p) + 1)
			if (!strncmp(p, argv[1], strlen(argv[1])))
				printf("uevent %s %s\n", text, p);
		fflush(stdout);
	}
	return 0;
}
