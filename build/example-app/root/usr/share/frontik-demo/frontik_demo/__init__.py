"""The application: two pages."""

import os

from tornado.web import Application, RequestHandler


class Status(RequestHandler):
    """What the supervisor asks to see whether the worker is ready."""

    def get(self):
        self.write({'status': 'ok'})


class Front(RequestHandler):
    def initialize(self, options):
        self.options = options

    def get(self):
        self.write({'greeting': self.options.greeting, 'port': self.options.port, 'pid': os.getpid()})


def make_application(options):
    return Application([('/status/', Status), ('/', Front, {'options': options})])
